package match_test

import "testing"

// What a create of a customer costs beside its fields.
func BenchmarkRules_Of(b *testing.B) {
	values := map[string][]string{"name": {"上海兴旺商贸有限公司"}, "tax_no": {"91310000MA1K35P12X"}, "phones": {"13800138000", "021-62345678"}}
	b.ReportAllocs()
	for b.Loop() {
		for _, k := range rules.Of(func(field string) []string { return values[field] }) {
			k.Index()
		}
	}
}
