package reactions

// For tests at the limits.
const (
	AtOnce   = atOnce
	MaxTries = maxTries
)
