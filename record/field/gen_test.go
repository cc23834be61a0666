package field_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"
)

// drawValue makes a good value of any type, in one of its spellings.
func drawValue(t *rapid.T, name string) string {
	switch name {
	case "text":
		return quoted(drawText(t, 40))
	case "number":
		return drawNumber(t)
	case "decimal":
		return drawDecimal(t, 6)
	case "money":
		return fmt.Sprintf(`{"amount":%s,"currency":"CNY"}`, drawDecimal(t, 4))
	case "bool":
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case "date":
		return quoted(drawTime(t).Format(time.DateOnly))
	case "datetime":
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "offset")*60)
		return quoted(drawTime(t).In(zone).Format(time.RFC3339Nano))
	case "choice", "multi_choice":
		return quoted(rapid.SampledFrom(spec.Choices).Draw(t, "choice"))
	case "tags":
		return quoted(rapid.StringMatching(`[ 　]?[a-z冷链]{1,64}\s?`).Draw(t, "tag"))
	case "reference", "user", "files":
		return quoted(rapid.StringMatching(`[1-9a-fA-F][0-9a-f]{7}(-[0-9a-fA-F]{4}){3}-[0-9a-f]{12}`).Draw(t, "id"))
	case "phone":
		return quoted(rapid.StringMatching(
			`\+?\(?[0-9０-９]{1,4}[） -][0-9]{2,10}( ext\.? ?[0-9]{1,4}| 转[0-9]{1,4})?`).Draw(t, "phone"))
	case "email":
		return quoted(rapid.StringMatching(
			`[a-zA-Z0-9_+]{1,20}(\.[a-z]{1,5})?@([a-zA-Z0-9例]{1,10}\.){1,3}[a-zA-Z]{2,5}`).Draw(t, "email"))
	case "url":
		return quoted(rapid.StringMatching(
			`(http|HTTPS)://([a-zA-Z0-9例]{1,10}\.){1,3}[A-Za-z]{2,5}`+
				`(:[0-9]{1,4})?(/[a-zA-Z路]{0,5}){0,3}(\?q=[A-Za-z0-9]{0,5})?`).Draw(t, "url"))
	default:
		return drawObject(t, name)
	}
}

func drawObject(t *rapid.T, name string) string {
	switch name {
	case "map":
		return drawJSON(t, 2)
	case "rows":
		var rows []string
		for i := range rapid.IntRange(0, 5).Draw(t, "rows") {
			rows = append(rows, fmt.Sprintf(`{"qty":%s,"id":"%08d%s","note":%s}`,
				drawNumber(t), i, id[8:], quoted(drawText(t, 5))))
		}
		return "[" + strings.Join(rows, ",") + "]"
	case "place":
		return fmt.Sprintf(`{"crs":%q,"lng":%v,"lat":%v%s}`,
			rapid.SampledFrom([]string{"wgs84", "gcj02", "bd09"}).Draw(t, "crs"),
			rapid.Float64Range(-180, 180).Draw(t, "lng"), rapid.Float64Range(-90, 90).Draw(t, "lat"),
			rapid.SampledFrom([]string{
				"", `,"accuracy":25.5`, `,"mock":true,"provider":"gps"`, `,"mock":null`,
			}).Draw(t, "more"))
	default: // evidence
		return fmt.Sprintf(`{"mock_flag":false,"location":%s,"photo":%s,"time_device":%s,"wifi_hash":"a1"}`,
			drawValue(t, "place"), drawValue(t, "files"), drawValue(t, "datetime"))
	}
}

func drawText(t *rapid.T, most int) string {
	runes := rapid.SliceOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 0, most)
	return string(runes.Draw(t, "text"))
}

func drawNumber(t *rapid.T) string {
	if rapid.Bool().Draw(t, "whole") {
		return fmt.Sprint(rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "number"))
	}
	return string(must(json.Marshal(rapid.Float64Range(-1e15, 1e15).Draw(t, "number"))))
}

// drawDecimal is a string, padded at will, or a bare number.
func drawDecimal(t *rapid.T, fraction int) string {
	bare := fmt.Sprintf(`-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,%d})?`, fraction)
	padded := fmt.Sprintf(`"[+-]?0{0,3}[0-9]{1,15}(\.[0-9]{1,%d}0{0,3})?"`, fraction)
	return rapid.OneOf(rapid.StringMatching(bare), rapid.StringMatching(padded)).Draw(t, "decimal")
}

func drawTime(t *rapid.T) time.Time {
	first := time.Date(1900, 1, 2, 0, 0, 0, 0, time.UTC)
	day := rapid.IntRange(0, 365*299).Draw(t, "day")
	part := rapid.Int64Range(0, int64(24*time.Hour)-1).Draw(t, "part of the day")
	return first.AddDate(0, 0, day).Add(time.Duration(part))
}

// drawJSON makes anything that the value of a map's key may be.
func drawJSON(t *rapid.T, depth int) string {
	switch rapid.IntRange(0, 2+min(depth, 2)).Draw(t, "what") {
	case 0:
		return quoted(drawText(t, 4))
	case 1:
		return drawNumber(t)
	case 2:
		return rapid.SampledFrom([]string{"true", "false", `"a"`}).Draw(t, "word")
	case 3:
		var list []string
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, drawJSON(t, 0))
		}
		return "[" + strings.Join(list, ",") + "]"
	default:
		var list []string
		for i := range rapid.IntRange(0, 3).Draw(t, "members") {
			list = append(list, quoted(fmt.Sprint(drawText(t, 3), i))+":"+drawJSON(t, depth-1))
		}
		return "{" + strings.Join(list, ",") + "}"
	}
}

// respell writes the same JSON value in another way: other white space, other
// escapes, other exponents, the members of objects in another order.
func respell(t *rapid.T, raw string) string {
	space := rapid.SampledFrom([]string{"", " ", "\n\t"}).Draw(t, "space")
	return space + respellValue(t, json.RawMessage(raw), space) + space
}

func respellValue(t *rapid.T, raw json.RawMessage, space string) string {
	switch raw[0] {
	case '{':
		var members []string
		object := decodeTo[map[string]json.RawMessage](raw)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			value := respellValue(t, object[name], space)
			members = append(members, respellText(t, name)+space+":"+space+value)
		}
		if len(members) > 1 {
			members = rapid.Permutation(members).Draw(t, "order")
		}
		return "{" + space + strings.Join(members, space+","+space) + "}"
	case '[':
		var list []string
		for _, element := range decodeTo[[]json.RawMessage](raw) {
			list = append(list, respellValue(t, element, space))
		}
		return "[" + strings.Join(list, space+","+space) + space + "]"
	case '"':
		return respellText(t, decodeTo[string](raw))
	case 't', 'f', 'n':
		return string(raw)
	default:
		return respellNumber(t, string(raw))
	}
}

func respellText(t *rapid.T, s string) string {
	if rapid.Bool().Draw(t, "plain") {
		return quoted(s)
	}
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04X`, unit)
	}
	return `"` + b.String() + `"`
}

func respellNumber(t *rapid.T, s string) string {
	if strings.ContainsAny(s, "eE") {
		return s
	}
	spellings := []string{s, s + "e0", s + "E-00"}
	switch {
	case strings.Contains(s, "."):
		spellings = append(spellings, s+"0")
	case strings.HasSuffix(s, "0"): // perhaps nothing but 0
		spellings = append(spellings, s+".00")
	default:
		spellings = append(spellings, s+".0", s+"00e-2")
	}
	return rapid.SampledFrom(spellings).Draw(t, "spelling")
}

func quoted(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

func decodeTo[T any](raw json.RawMessage) T {
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		panic(fmt.Sprintf("%s: %v", raw, err))
	}
	return v
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
