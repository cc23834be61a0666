package history_test

import (
	"encoding/json"
	"testing"

	"roadbook/record"
	"roadbook/sync/history"
	"roadbook/version"
)

// BenchmarkText is what the log keeps of a usual mutation: a visit's result and
// remark, with what stood there before.
func BenchmarkText(b *testing.B) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	e := &record.Edit{
		Op: record.OpEdit, Kind: "visit", ID: record.MustID("0190aaaa-0000-7000-8000-000000000001"), Seen: version.Vector{version.Log: 812},
		Set: record.Values{{Field: "result", Raw: raw(`"ordered"`)}, {Field: "next_step", Raw: raw(`"下周三带样品"`)}},
	}
	plain, with := []history.Edit{{Edit: e, P: 812}}, []history.Edit{{Edit: e, P: 812, Was: record.Values{
		{Field: "result", Raw: raw(`"follow_up"`)}, {Field: "next_step", Raw: raw(`"等老板回电话"`)},
	}}}
	for name, edits := range map[string][]history.Edit{"typed": plain, "with what stood": with} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				history.Text(edits)
			}
			b.ReportMetric(float64(len(history.Text(edits))), "bytes")
		})
	}
}
