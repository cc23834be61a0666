package day

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// said is one thing in both languages.
type said struct{ en, zh string }

func (s said) in(l Lang) string {
	if l == Chinese {
		return s.zh
	}
	return s.en
}

// The columns of the page, in widths of a narrow letter.
const (
	pageWidth  = 100
	clockWidth = 7
	noWidth    = 5
	leftWidth  = 27 // clock, number and name
	whatWidth  = 48
	markWidth  = 8
)

// telling writes the day down: first what happens, in two columns, then what
// came of it, as a table.
type telling struct {
	out    io.Writer
	lang   Lang
	colour bool

	step step
	left string // what stands beside the next line
	rows []row
}

// row is one check.
type row struct {
	no, what, detail string
	ok               bool
}

func (t *telling) title(en, zh, detail string) {
	t.line(t.paint(bold, "Roadbook · "+said{en, zh}.in(t.lang)))
	t.line(t.paint(dim, detail))
}

// begin opens a step.
func (t *telling) begin(s step) {
	t.step = s
	t.left = fit(s.at, clockWidth) + fit(s.no, noWidth) + s.who.in(t.lang)
	t.line("")
}

// say prints a sentence of what happens, in the right column.
func (t *telling) say(en, zh string, args ...any) { t.print(plain, t.text(en, zh, args...)) }

// fact prints something that was measured, below the sentence.
func (t *telling) fact(en, zh string, args ...any) { t.print(dim, t.text(en, zh, args...)) }

func (t *telling) print(p pen, text string) {
	for _, l := range wrap(text, pageWidth-leftWidth, t.lang) {
		t.line(t.paint(bold, fit(t.left, leftWidth)) + t.paint(p, l))
		t.left = ""
	}
}

// text is what is said in the reader's language.
func (t *telling) text(en, zh string, args ...any) string {
	return fmt.Sprintf(said{en, zh}.in(t.lang), args...)
}

// check notes whether something is as it must be, for the table.
func (t *telling) check(ok bool, en, zh, detail string) {
	t.rows = append(t.rows, row{no: t.step.no, what: said{en, zh}.in(t.lang), detail: detail, ok: ok})
}

// table prints the checks and returns how many failed.
func (t *telling) table(took time.Duration) (failed int) {
	t.line("")
	head := row{no: t.text("step", "步骤"), what: t.text("what must come of it", "应有的结果"), detail: t.text("detail", "说明")}
	t.line(t.paint(bold, strings.Join(head.cells(t.text("result", "结果"), t.lang, plainly), "")))
	t.line(strings.Repeat("─", pageWidth))
	for _, r := range t.rows {
		mark, shade := t.paint(green, "  ✓"), dim
		if !r.ok {
			failed++
			mark, shade = t.paint(red, "  ✗"), red
		}
		for _, l := range r.cells(mark, t.lang, func(s string) string { return t.paint(shade, s) }) {
			t.line(l)
		}
	}
	t.line(strings.Repeat("─", pageWidth))
	p := green
	if failed > 0 {
		p = red
	}
	t.line(t.text("The day took %s.", "全天用时 %s。", t.seconds(took)))
	t.line(t.paint(p, t.text("%d of %d checks passed", "%[2]d 项检查，通过 %[1]d 项", len(t.rows)-failed, len(t.rows))))
	return failed
}

// cells lays a row out, on as many lines as it needs.
func (r row) cells(mark string, lang Lang, shade func(string) string) []string {
	whats := wrap(r.what, whatWidth-2, lang)
	details := wrap(r.detail, pageWidth-noWidth-1-whatWidth-markWidth, lang)
	no := r.no
	var lines []string
	for i := range max(len(whats), len(details)) {
		lines = append(lines, fit(no, noWidth+1)+fit(at(whats, i), whatWidth)+
			fit(mark, markWidth)+shade(at(details, i)))
		no, mark = "", ""
	}
	return lines
}

func plainly(s string) string { return s }

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

func (t *telling) line(s string) { _, _ = io.WriteString(t.out, strings.TrimRight(s, " ")+"\n") }

// pen is how something is written in a terminal.
type pen string

const (
	plain pen = ""
	bold  pen = "\x1b[1m"
	dim   pen = "\x1b[2m"
	green pen = "\x1b[32m"
	red   pen = "\x1b[31m"

	penUp = "\x1b[0m"
)

func (t *telling) paint(p pen, s string) string {
	if !t.colour || p == plain || strings.TrimSpace(s) == "" {
		return s
	}
	return string(p) + s + penUp
}

// seconds is a duration as people say it.
func (t *telling) seconds(d time.Duration) string {
	if d < time.Second {
		return t.text("%d ms", "%d 毫秒", d.Milliseconds())
	}
	return t.text("%.1f s", "%.1f 秒", d.Seconds())
}

// kilobytes is a size as people say it.
func kilobytes(n int64) string {
	if n < 10<<10 {
		return count(int(n)) + " B"
	}
	return count(int(n>>10)) + " KB"
}

// count is a number with its thousands set apart.
func count(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// list joins the elements of a set as each language does.
func (t *telling) list(elems []string) string {
	return strings.Join(elems, said{", ", "、"}.in(t.lang))
}
