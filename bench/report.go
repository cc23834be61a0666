package bench

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what came of a run.
type Report struct {
	At      time.Time `json:"at"`
	Machine Machine   `json:"machine"`
	Rows    []Row     `json:"rows"`
}

// Machine is what it ran on.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Go         string `json:"go"`
	PostgreSQL string `json:"postgresql"`
	Load       string `json:"load"` // averages when the run began
}

// Row is one figure: the median of its runs, beside what bounds it.
type Row struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Value  float64   `json:"value"`
	Runs   []float64 `json:"runs,omitempty"`
	Limit  string    `json:"limit,omitempty"` // what the ratio is to
	Ratios []float64 `json:"ratios,omitempty"`
	Ratio  float64   `json:"ratio,omitempty"`
	Target string    `json:"target,omitempty"`
	Met    *bool     `json:"met,omitempty"`
	Note   string    `json:"note,omitempty"`
}

// row makes a figure of its runs.
func row(name, unit string, runs ...float64) Row {
	return Row{Name: name, Unit: unit, Runs: runs, Value: median(runs)}
}

// beside adds the ratio of each run to a limit that was taken next to it.
func (r Row) beside(limit string, limits []float64) Row {
	for i := range r.Runs {
		r.Ratios = append(r.Ratios, r.Runs[i]/limits[min(i, len(limits)-1)])
	}
	r.Limit, r.Ratio = limit, median(r.Ratios)
	return r
}

// target says what it aims at and whether it is there.
func (r Row) target(text string, met bool) Row {
	r.Target, r.Met = text, &met
	return r
}

func (r Row) note(format string, args ...any) Row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

func median(of []float64) float64 { return quantile(of, 0.5) }

// quantile is the value below which a part of them lies, the nearest one.
func quantile(of []float64, part float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

// Write prints the report for people.
func (r *Report) Write(w io.Writer) error {
	m := r.Machine
	if _, err := fmt.Fprintf(w, "%s; %s, %d cores, PostgreSQL %s, %s; load %s when it began\n\n",
		r.At.Format("2006-01-02 15:04 UTC"), m.CPU, m.Cores, m.PostgreSQL, m.Go, m.Load); err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "measure\tmedian\tlowest … highest\tto its limit\ttarget\t")
	for _, row := range r.Rows {
		_, _ = fmt.Fprintf(t, "%s\t%s %s\t%s\t%s\t%s\t\n", row.Name, figure(row.Value), row.Unit, spread(row.Runs), ratio(row), verdict(row))
		if row.Note != "" {
			_, _ = fmt.Fprintf(t, "    %s\t\t\t\t\t\n", row.Note)
		}
	}
	return t.Flush()
}

func spread(runs []float64) string {
	if len(runs) < 2 {
		return ""
	}
	return figure(slices.Min(runs)) + " … " + figure(slices.Max(runs))
}

func ratio(r Row) string {
	if r.Limit == "" {
		return ""
	}
	return figure(r.Ratio) + " × " + r.Limit
}

func verdict(r Row) string {
	switch {
	case r.Met == nil:
		return r.Target
	case *r.Met:
		return "✓ " + r.Target
	}
	return "✗ " + r.Target
}

// figure writes three digits that count, and thousands apart.
func figure(v float64) string {
	decimals := 0
	switch abs := max(v, -v); {
	case abs == 0:
	case abs < 1:
		decimals = 3
	case abs < 10:
		decimals = 2
	case abs < 100:
		decimals = 1
	}
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + strings.TrimSuffix("."+rest, ".")
}
