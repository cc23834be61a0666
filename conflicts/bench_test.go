package conflicts_test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"roadbook/conflicts"
	"roadbook/record"
)

// BenchmarkLWW is one verdict on a plain field.
func BenchmarkLWW(b *testing.B) {
	b.ReportAllocs()
	cur := record.Slot{Field: "name", Raw: json.RawMessage(`"Acme"`), By: at(ben, 1, 5)}
	raw := json.RawMessage(`"Bolt"`)
	seen, stranger := writeAt(anna, 9, 9), writeAt(anna, 4, 9)
	seen.Seen.Log = 100
	for name, w := range map[string]*conflicts.Write{"seen": seen, "concurrent": stranger} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				slot := cur
				conflicts.LWW(&slot, raw, w)
			}
		})
	}
}

// BenchmarkMergeText merges a remark of 10 KB in which two people have changed
// ten lines each.
func BenchmarkMergeText(b *testing.B) {
	lines := make([]string, 120)
	for i := range lines {
		lines[i] = strconv.Itoa(i) + " 老板说下周三再来，带样品；仓库在后门。"
	}
	with := func(from int, word string) string {
		out := append([]string(nil), lines...)
		for i := from; i < len(out); i += 12 {
			out[i] = strings.Replace(out[i], "周三", word, 1)
		}
		return strings.Join(out, "\n")
	}
	base, one, other := strings.Join(lines, "\n"), with(0, "周四"), with(6, "周五")
	b.SetBytes(int64(len(base)))
	b.ReportAllocs()
	for b.Loop() {
		if _, clean := conflicts.MergeText(base, one, other); !clean {
			b.Fatal("they have not changed the same")
		}
	}
}

// BenchmarkApply is one edit of one field that meets a concurrent one, by
// policy, with all that its author is told.
func BenchmarkApply(b *testing.B) {
	for field, values := range map[string][2]string{
		"name": {`"Acme"`, `"Bolt"`}, "stage": {`"new"`, `"old"`}, "last": {"5", "9"}, "first": {"9", "5"}, "check_in": {`"here"`, `"there"`},
		"step": {`"won"`, `"lost"`}, "terms": {`"cash"`, `"30"`}, "credit": {`"50"`, `"60"`}, "answers.q1": {"true", "false"},
	} {
		b.Run(field, func(b *testing.B) {
			benchmarkApply(b, &record.Edit{Op: record.OpEdit, Set: vals(field, values[0])}, &record.Edit{Op: record.OpEdit, Set: vals(field, values[1])})
		})
	}
	b.Run("points", func(b *testing.B) {
		inc := &record.Edit{Op: record.OpEdit, Inc: vals("points", "3")}
		benchmarkApply(b, inc, inc)
	})
	b.Run("tags", func(b *testing.B) {
		add := &record.Edit{Op: record.OpEdit, Add: vals("tags", `["a"]`)}
		benchmarkApply(b, add, add)
	})
	b.Run("credit, asked", func(b *testing.B) {
		own, ask := &record.Edit{Op: record.OpEdit, Set: vals("credit", `"50"`)}, &record.Edit{Op: record.OpEdit, Set: vals("credit", `"60"`)}
		rec := benchmarkRecord(b, own)
		w := writeAt(ben, 6, 4)
		benchmarkLoop(b, rec, ask, w)
	})
}

func benchmarkRecord(b *testing.B, first *record.Edit) *record.Record {
	b.Helper()
	rec, w := &record.Record{Kind: anyShop, Seq: base}, writeAt(anna, 5, 3)
	w.Server = true
	w.Stood = func(string) (json.RawMessage, error) { return nil, nil }
	if _, err := conflicts.Apply(rec, first, w); err != nil {
		b.Fatal(err)
	}
	return rec
}

func benchmarkApply(b *testing.B, first, second *record.Edit) {
	b.Helper()
	w := writeAt(ben, 6, 4)
	w.Server = true
	benchmarkLoop(b, benchmarkRecord(b, first), second, w)
}

func benchmarkLoop(b *testing.B, rec *record.Record, e *record.Edit, w *conflicts.Write) {
	b.Helper()
	w.Stood = func(string) (json.RawMessage, error) { return nil, nil }
	slots := rec.Slots
	again := *rec
	again.Slots = make([]record.Slot, len(slots), len(slots)+2)
	b.ReportAllocs()
	for b.Loop() {
		copy(again.Slots[:len(slots)], slots)
		if _, err := conflicts.Apply(&again, e, w); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerdict is the rule of each plain policy by itself, without telling
// anybody.
func BenchmarkVerdict(b *testing.B) {
	w := writeAt(anna, 9, 9)
	cur := record.Slot{Field: "x", Raw: json.RawMessage("5"), By: at(ben, 1, 5)}
	larger, other := &record.Field{Name: "last", Type: "number", Policy: record.Max}, json.RawMessage("9")
	for name, verdict := range map[string]func(*record.Slot) error{
		"lww":   func(s *record.Slot) error { conflicts.LWW(s, other, w); return nil },
		"once":  func(s *record.Slot) error { conflicts.Once(s, other, w); return nil },
		"owned": func(s *record.Slot) error { conflicts.Owned(s, other, true, w); return nil },
		"max":   func(s *record.Slot) error { _, err := conflicts.Extreme(s, larger, other, w); return err },
		"count": func(s *record.Slot) error { return conflicts.Count(s, 3, w) },
	} {
		b.Run(name, func(b *testing.B) {
			slot := new(record.Slot)
			b.ReportAllocs()
			for b.Loop() {
				*slot = cur
				if err := verdict(slot); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
