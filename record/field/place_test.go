package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var placeRows = []row{
	{"a point", point("31.2", "121.4"), point("31.2", "121.4"), ""},
	{
		"all of it, in any order", `{"mock":false,"provider":" gps ","accuracy":25.0,"crs":"gcj02","lng":121.4,"lat":31.2}`,
		`{"lat":31.2,"lng":121.4,"crs":"gcj02","accuracy":25,"provider":"gps","mock":false}`, "",
	},
	{
		"null is left out",
		`{"lat":31.2,"lng":121.4,"crs":"wgs84","accuracy":null,"mock":null}`,
		point("31.2", "121.4"), "",
	},
	{"Baidu's system", `{"lat":1,"lng":2,"crs":"bd09"}`, `{"lat":1,"lng":2,"crs":"bd09"}`, ""},
	{"seven digits", point("31.23456784", "-121.47654329"), point("31.2345678", "-121.4765433"), ""},
	{"a centimetre off the equator", point("0.0000001", "0"), point("1e-7", "0"), ""},
	{"less than that", point("-0.00000001", "-0"), point("0", "0"), ""},
	{"the corners", point("90", "180"), point("90", "180"), ""},
	{"the other corners", point("-90", "-180"), point("-90", "-180"), ""},
	{"past the pole", point("90.0000001", "0"), "", "lat must be from -90 to 90"},
	{"past the other pole", point("-90.0000001", "0"), "", "lat must be from -90 to 90"},
	{"past the date line", point("0", "180.0000001"), "", "lng must be from -180 to 180"},
	{"past it going west", point("0", "-180.0000001"), "", "lng must be from -180 to 180"},
	{"no guess at all", accuracy("0"), accuracy("0"), ""},
	{"the worst guess", accuracy("100000"), accuracy("100000"), ""},
	{"worse than the worst", accuracy("100000.1"), "", "accuracy must be from 0 to 100000"},
	{"better than perfect", accuracy("-1"), "", "accuracy must be from 0 to 100000"},
	{"a provider at the limit", provider(field.MaxProviderRunes), provider(field.MaxProviderRunes), ""},
	{"a provider past the limit", provider(field.MaxProviderRunes + 1), "", "provider must be at most 32"},
	{"no system", `{"lat":31.2,"lng":121.4}`, "", "crs is missing"},
	{"no latitude", `{"lng":121.4,"crs":"wgs84"}`, "", "lat is missing"},
	{"no longitude", `{"lat":31.2,"crs":"wgs84"}`, "", "lng is missing"},
	{"an unknown system", `{"lat":31.2,"lng":121.4,"crs":"WGS84"}`, "", "crs must be wgs84, gcj02 or bd09"},
	{"a system that is a number", `{"lat":31.2,"lng":121.4,"crs":84}`, "", "crs must be wgs84"},
	{"text for a number", `{"lat":"31.2","lng":121.4,"crs":"wgs84"}`, "", "lat must be a number"},
	{"mock in words", `{"lat":31.2,"lng":121.4,"crs":"wgs84","mock":"no"}`, "", "mock must be true or false"},
	{"a further member", `{"lat":31.2,"lng":121.4,"crs":"wgs84","alt":4}`, "", `has no "alt"`},
	{"a further member with a long name", `{"` + strings.Repeat("高", 9999) + `":4}`, "", "高…"},
	{"a pair", `[31.2,121.4]`, "", "a place with lat"},
}

func TestPlace(t *testing.T) {
	t.Parallel()
	testTable(t, "place")
}

func point(lat, lng string) string {
	return `{"lat":` + lat + `,"lng":` + lng + `,"crs":"wgs84"}`
}

func accuracy(metres string) string {
	return `{"lat":31.2,"lng":121.4,"crs":"wgs84","accuracy":` + metres + `}`
}

func provider(n int) string {
	return `{"lat":31.2,"lng":121.4,"crs":"wgs84","provider":"` + strings.Repeat("源", n) + `"}`
}
