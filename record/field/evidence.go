package field

import "encoding/json"

// MaxHashRunes is how long the hash of a network may be: 512 bits in
// hexadecimal.
const MaxHashRunes = 128

// evidence is what a phone can say about when and where a visit began or ended.
// Nothing in it is believed here: a grade is given later, by comparing its
// parts, so only what makes no sense at all is refused.
type evidence struct{}

var evidenceShape = shape{
	what: "the evidence of a check-in, with its time_device",
	parts: []part{
		{"time_device", true, as(datetime{})},
		{"time_since_boot_ms", false, between(0, MaxInteger)},
		{"last_server_time", false, as(datetime{})},
		{"location", false, placeShape.inner},
		{"photo", false, as(reference{to: "attachment"})},
		{"wifi_hash", false, label(MaxHashRunes)},
		{"cell_hash", false, label(MaxHashRunes)},
		{"mock_flag", false, as(boolean{})},
	},
}

// evidenceTime is the place of time_device among the parts.
const evidenceTime = 0

// Check returns the evidence with each part in canonical form, in that order.
func (evidence) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	return evidenceShape.check(raw)
}
