package field_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"roadbook/record/field"
)

// spec is the same for all types: each looks only at what is its own.
var spec = field.Spec{Choices: []string{"A", "B", "重点"}, To: "account"}

const (
	id    = "0193a5f0-1111-7abc-8def-00000000000a"
	other = "0193a5f0-2222-7abc-8def-00000000000b"
)

// row is one value and what becomes of it: its canonical form, or a part of
// the problem.
type row struct {
	name, raw, want, problem string
}

// tables are the rows of every type: tests of that type, seeds of the fuzzer.
var tables = map[string][]row{
	"text": textRows, "number": numberRows, "decimal": decimalRows, "money": moneyRows,
	"bool": boolRows, "date": dateRows, "datetime": datetimeRows,
	"choice": choiceRows, "multi_choice": choiceRows, "tags": tagRows,
	"reference": referenceRows("account"), "user": referenceRows("person"),
	"files": referenceRows("attachment"),
	"place": placeRows, "phone": phoneRows, "email": emailRows, "url": urlRows,
	"rows": rowsRows, "map": mapRows, "evidence": evidenceRows,
}

// testTable runs the table of one type.
func testTable(t *testing.T, name string) {
	t.Helper()
	typ, ok := field.Lookup(name)
	require.True(t, ok)
	for _, tt := range tables[name] {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := typ.Check(spec, json.RawMessage(tt.raw))

			if tt.problem != "" {
				requireProblem(t, err, tt.problem)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
			require.NoError(t, canonical(typ, got))
		})
	}
}

// requireProblem says that err is a fragment fit for a salesperson's eyes.
func requireProblem(t require.TestingT, err error, part string) {
	require.ErrorContains(t, err, part)
	require.Contains(t, err.Error(), "must ")
	require.Less(t, len(err.Error()), 250, "it repeats too much of the input")
	require.True(t, utf8.ValidString(err.Error()))
	require.False(t, strings.ContainsAny(err.Error(), "\n\r\x00"))
}

func TestLookup(t *testing.T) {
	t.Parallel()

	for _, name := range field.Names() {
		_, ok := field.Lookup(name)
		require.True(t, ok, name)
		require.NotEmpty(t, tables[name], "type %s has no table", name)
	}
	require.IsIncreasing(t, field.Names())
	require.Len(t, tables, len(field.Names()))
	_, ok := field.Lookup("Text")
	require.False(t, ok)
}

func TestCheck_refusesNullAndNothing(t *testing.T) {
	t.Parallel()

	for _, name := range field.Names() {
		typ, _ := field.Lookup(name)
		for _, raw := range []string{"null", " null ", "", " ", "nul", "\x00", `"`, "[", "{", "\xff"} {
			_, err := typ.Check(spec, json.RawMessage(raw))
			requireProblem(t, err, "must be")
		}
		_, err := typ.Check(spec, nil)
		requireProblem(t, err, "must be")
	}
}

// Strings that Postgres or a browser could not give back are refused wherever
// they stand.
func TestCheck_refusesBadStrings(t *testing.T) {
	t.Parallel()

	for _, name := range field.Names() {
		typ, _ := field.Lookup(name)
		for _, s := range []string{`"a\u0000"`, "\"a\xff\"", `"\ud800"`, `"\udc00"`, "\"a\x01\"", `"a\x"`} {
			for _, raw := range []string{
				s, `[` + s + `]`, `{"a":` + s + `}`, `{` + s + `:1}`, `[{"id":"` + id + `","a":` + s + `}]`,
			} {
				_, err := typ.Check(spec, json.RawMessage(raw))
				requireProblem(t, err, "must ")
			}
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, typ, a, b string
		want            int
	}{
		{"numbers by value", "number", `9`, `10`, -1},
		{"numbers below zero", "number", `-9`, `-10`, 1},
		{"numbers in other spellings", "number", `1e3`, `1000`, 0},
		{"decimals by value", "decimal", `"9.5"`, `"10"`, -1},
		{"decimals by their fraction", "decimal", `"9.5"`, `"9.45"`, 1},
		{"decimals, one a prefix", "decimal", `"9.5"`, `"9.51"`, -1},
		{"decimals below zero", "decimal", `"-9.5"`, `"-9.45"`, -1},
		{"decimals around zero", "decimal", `"0.1"`, `"-0.1"`, 1},
		{"decimals around zero, turned", "decimal", `"-0.1"`, `"0.1"`, -1},
		{"decimals that no float tells apart", "decimal", `"999999999999999.000001"`, `"999999999999999.000002"`, -1},
		{"money by amount", "money", yuan("9.50"), yuan("10.00"), -1},
		{"money, equal", "money", yuan("9.50"), yuan("9.50"), 0},
		{"dates", "date", `"2026-11-21"`, `"2026-12-01"`, -1},
		{"datetimes by value, not by bytes", "datetime", `"2026-11-21T09:00:00Z"`, `"2026-11-21T09:00:00.500Z"`, -1},
		{"datetimes with offsets", "datetime", `"2026-11-21T09:00:00+08:00"`, `"2026-11-21T01:00:00Z"`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := field.Compare(tt.typ, json.RawMessage(tt.a), json.RawMessage(tt.b))

			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestCompare_refuses(t *testing.T) {
	t.Parallel()

	tests := []struct{ name, typ, good, bad string }{
		{"text", "text", `"a"`, `"b"`},
		{"a type that is none", "colour", `1`, `2`},
		{"amounts of two currencies", "money", yuan("1.00"), `{"amount":"1.00","currency":"USD"}`},
		{"an amount without a currency", "money", yuan("1.00"), `{"amount":"1.00"}`},
		{"an amount that is none", "money", yuan("1.00"), `{"amount":"x","currency":"CNY"}`},
		{"money that is none", "money", yuan("1.00"), `1`},
		{"a number that is none", "number", `1`, `"1"`},
		{"a decimal that is none", "decimal", `"1"`, `"x"`},
		{"a date that is none", "date", `"2026-11-21"`, `"2026-02-30"`},
		{"a datetime that is none", "datetime", `"2026-11-21T09:00:00Z"`, `"2026-11-21"`},
		{"a cleared value", "number", `1`, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := field.Compare(tt.typ, json.RawMessage(tt.good), json.RawMessage(tt.bad))
			require.Error(t, err)
			_, err = field.Compare(tt.typ, json.RawMessage(tt.bad), json.RawMessage(tt.good))
			require.Error(t, err)
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, bb := range []struct{ name, raw string }{
		{"text", `"下周二上午带样品过去，张总在"`},
		{"number", `30`},
		{"decimal", `31.25`},
		{"decimal", `"1250.5"`},
		{"date", `"2026-11-21"`},
		{"datetime", `"2026-11-21T09:00:00Z"`},
		{"choice", `"重点"`},
		{"reference", `"` + id + `"`},
		{"money", yuan("12.50")},
		{"place", `{"lat":31.2304,"lng":121.4737,"crs":"gcj02","accuracy":25}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			typ, _ := field.Lookup(bb.name)
			raw := json.RawMessage(bb.raw)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := typ.Check(spec, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
