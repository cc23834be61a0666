package main

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is one series at one moment.
type sample struct {
	labels map[string]string // __name__ is one of them
	value  float64
}

// key is what tells it from others.
func (s sample) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.labels)) {
		fmt.Fprintf(&b, "%s=%q,", name, s.labels[name])
	}
	return b.String()
}

// grouped is the sample with these labels alone, or, without any, with all but its
// name.
func (s sample) grouped(by []string) sample {
	out := sample{labels: map[string]string{}, value: s.value}
	for name, value := range s.labels {
		if by == nil && name != "__name__" || slices.Contains(by, name) {
			out.labels[name] = value
		}
	}
	return out
}

// expression evaluates as much of Prometheus' language as docs/alerts.yml needs,
// and panics at the rest.
type expression struct {
	tokens  []string
	at      time.Duration
	scrapes []scrape
}

var tokens = regexp.MustCompile(`[A-Za-z_]\w*|[\d.]+(?:e\d+)?|"[^"]*"|=~|==|[{}()\[\],=*>]`)

// evaluate is what an expression comes to after the last of some scrapes.
func evaluate(text string, scrapes []scrape) []sample {
	e := &expression{tokens: tokens.FindAllString(text, -1), at: scrapes[len(scrapes)-1].at, scrapes: scrapes}
	left := e.product()
	if len(e.tokens) == 0 {
		return left
	}
	op, right := e.next(), e.product()
	var out []sample
	for _, l := range left {
		for _, r := range right {
			if len(r.labels) > 0 && l.grouped(nil).key() != r.grouped(nil).key() {
				continue
			}
			if op == ">" && l.value > r.value || op == "==" && math.Abs(l.value-r.value) < 1e-9 {
				out = append(out, l)
			}
		}
	}
	return out
}

func (e *expression) next() string {
	token := e.tokens[0]
	e.tokens = e.tokens[1:]
	return token
}

func (e *expression) peek() string {
	if len(e.tokens) == 0 {
		return ""
	}
	return e.tokens[0]
}

func (e *expression) expect(token string) {
	if got := e.next(); got != token {
		panic("this monitor does not understand " + got + " in place of " + token)
	}
}

// product is a number times something, or either.
func (e *expression) product() []sample {
	left := e.term()
	if e.peek() != "*" {
		return left
	}
	e.expect("*")
	right := e.term()
	for i := range right {
		right[i].value *= left[0].value
	}
	return right
}

func (e *expression) term() []sample {
	switch token := e.next(); token {
	case "sum":
		return e.sum()
	case "rate", "increase":
		e.expect("(")
		name := e.next()
		match := e.matchers()
		e.expect("[")
		count, unit := e.next(), e.next()
		e.expect("]")
		e.expect(")")
		window, err := time.ParseDuration(count + unit)
		must(err)
		return e.grown(name, match, window, token == "rate")
	case "histogram_quantile":
		e.expect("(")
		q := e.product()
		e.expect(",")
		series := e.product()
		e.expect(")")
		return quantile(q[0].value, series)
	default:
		if n, err := strconv.ParseFloat(token, 64); err == nil {
			return []sample{{value: n}}
		}
		var out []sample
		match := e.matchers()
		for _, s := range e.scrapes[len(e.scrapes)-1].samples {
			if match(token, s) {
				out = append(out, s)
			}
		}
		return out
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// matchers read {label="value", …}, which may be left out.
func (e *expression) matchers() func(name string, s sample) bool {
	var all []func(sample) bool
	if e.peek() == "{" {
		for e.expect("{"); e.peek() != "}"; {
			label, op, value := e.next(), e.next(), strings.Trim(e.next(), `"`)
			match := regexp.MustCompile("^(?:" + value + ")$")
			all = append(all, func(s sample) bool {
				return op == "=" && s.labels[label] == value || op == "=~" && match.MatchString(s.labels[label])
			})
			if e.peek() == "," {
				e.expect(",")
			}
		}
		e.expect("}")
	}
	return func(name string, s sample) bool {
		return s.labels["__name__"] == name && !slices.ContainsFunc(all, func(m func(sample) bool) bool { return !m(s) })
	}
}

func (e *expression) sum() []sample {
	by := []string{}
	if e.peek() == "by" {
		e.expect("by")
		for e.expect("("); ; e.expect(",") {
			by = append(by, e.next())
			if e.peek() == ")" {
				break
			}
		}
		e.expect(")")
	}
	e.expect("(")
	series := e.product()
	e.expect(")")
	sums := map[string]sample{}
	for _, s := range series {
		s = s.grouped(by)
		s.value += sums[s.key()].value
		sums[s.key()] = s
	}
	return slices.Collect(maps.Values(sums))
}
