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
