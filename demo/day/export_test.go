package day

// Width, Fit, Wrap and Count are how the page is laid out.
var (
	Width = width
	Fit   = fit
	Wrap  = wrap
	Count = count
)
