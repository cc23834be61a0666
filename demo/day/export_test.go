package day

import "io"

// Width, Fit, Wrap and Count are how the page is laid out.
var (
	Width = width
	Fit   = fit
	Wrap  = wrap
	Count = count
)

// Table prints what fill checks.
func Table(out io.Writer, lang Lang, colour bool, fill func(check func(ok bool, en, zh, detail string))) int {
	t := &telling{out: out, lang: lang, colour: colour}
	fill(t.check)
	return t.table(0)
}
