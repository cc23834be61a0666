package record_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

const shopSchema = `{"version":"7","kinds":[
	{"kind":"shop","no":1,"on_delete":"revive","rank":40,"readers":{"cost":["manager","finance"]},"label":{"en":"Shop"},"fields":[
		{"field":"name","type":"text","policy":"lww!","required":true},
		{"field":"grade","type":"choice","policy":"lww","choices":["A","B"]},
		{"field":"points","type":"number","policy":"counter","floor":0},
		{"field":"cost","type":"decimal","policy":"lww"},
		{"field":"tags","type":"tags","policy":"set"},
		{"field":"answers","type":"map","policy":"lww!","label":{"en":"Answers"}},
		{"field":"street","type":"text","policy":"lww","group":"place"},
		{"field":"point","type":"place","policy":"lww","group":"place"}]},
	{"kind":"visit","no":2,"parent":"shop","month":"on","on_delete":"delete","rank":10,"scope":"catalogue","fields":[
		{"field":"shop","type":"reference","policy":"once","to":"shop"},
		{"field":"on","type":"date","policy":"lww"}]}]}`

func parseSchema(t testing.TB) *record.Schema {
	t.Helper()
	s, err := record.ParseSchema([]byte(shopSchema))
	require.NoError(t, err)
	return s
}

func TestParseSchema(t *testing.T) {
	t.Parallel()

	s := parseSchema(t)

	require.Equal(t, "7", s.Version)
	require.Same(t, s.Kinds[0], s.Kind("shop"))
	require.Same(t, s.Kinds[1], s.KindNo(2))
	require.Nil(t, s.Kind("order"))
	require.Nil(t, s.KindNo(3))
	require.Equal(t, int16(1), s.Kind("shop").No)
	require.Equal(t, []string{"manager", "finance"}, s.Kind("shop").Field("cost").Readers)
	require.Equal(t, record.Catalogue, s.Kind("visit").Scope)
	require.Equal(t, int64(0), *s.Kind("shop").Field("points").Floor)
}

// What a schema is stored as says all that it said, and what devices are told
// says neither numbers nor who may read.
func TestSchema_Stored(t *testing.T) {
	t.Parallel()

	s := parseSchema(t)

	stored, err := s.Stored()
	require.NoError(t, err)
	told, err := json.Marshal(s)
	require.NoError(t, err)

	require.JSONEq(t, shopSchema, string(stored))
	again, err := record.ParseSchema(stored)
	require.NoError(t, err)
	require.Equal(t, s, again)
	require.NotContains(t, string(told), `"no"`)
	require.NotContains(t, string(told), "finance")
}

func TestParseSchema_refused(t *testing.T) {
	t.Parallel()

	const name = `{"field":"name","type":"text","policy":"lww"}`
	tests := []struct {
		name, kinds string
		says        []string
	}{
		{"no JSON", `[`, []string{"the schema cannot be read"}},
		{
			"a kind twice",
			`[{"kind":"a","no":1},{"kind":"a","no":2}]`,
			[]string{"kind a (2) needs a name and a number of its own"},
		},
		{
			"a number twice",
			`[{"kind":"a","no":1},{"kind":"b","no":1}]`,
			[]string{"kind b (1) needs a name and a number of its own"},
		},
		{"a kind without a number", `[{"kind":"a"}]`, []string{"kind a (0) needs"}},
		{
			"a field twice", `[{"kind":"a","no":1,"fields":[` + name + `,` + name + `]}]`,
			[]string{"a.name: every field needs a name of its own, without a dot"},
		},
		{
			"a field without a name",
			`[{"kind":"a","no":1,"fields":[{"type":"text","policy":"lww"}]}]`,
			[]string{"a.: every field needs a name"},
		},
		{
			"a dot in a name",
			`[{"kind":"a","no":1,"fields":[{"field":"x.y","type":"text","policy":"lww"}]}]`,
			[]string{"a.x.y: every field needs a name"},
		},
		{
			"an unknown type",
			`[{"kind":"a","no":1,"fields":[{"field":"x","type":"colour","policy":"lww"}]}]`,
			[]string{`a.x: no field type "colour"`},
		},
		{
			"an unknown policy",
			`[{"kind":"a","no":1,"fields":[{"field":"x","type":"text","policy":"best"}]}]`,
			[]string{`a.x: no policy "best"`},
		},
		{
			"a reference to nowhere",
			`[{"kind":"a","no":1,"fields":[{"field":"x","type":"reference","policy":"lww","to":"b"}]}]`,
			[]string{`a.x refers to kind "b", which is not there`},
		},
		{
			"a parent that is no field",
			`[{"kind":"a","no":1,"parent":"x","fields":[` + name + `]}]`,
			[]string{`a: its parent field "x" is not there`},
		},
		{
			"all of it at once", `[{"kind":"a","parent":"x","fields":[{"field":"","type":"?","policy":"?","to":"b"}]}]`,
			[]string{"needs a name and a number", "every field needs a name", "no field type", "no policy", "refers to kind", "its parent field"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := record.ParseSchema([]byte(`{"version":"1","kinds":` + tt.kinds + `}`))

			require.Error(t, err)
			for _, says := range tt.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

// A schema may refer to a kind that comes later, and to itself.
func TestSchema_Check_order(t *testing.T) {
	t.Parallel()

	_, err := record.ParseSchema([]byte(`{"kinds":[
		{"kind":"visit","no":2,"fields":[{"field":"shop","type":"reference","policy":"lww","to":"shop"}]},
		{"kind":"shop","no":1,"fields":[{"field":"parent","type":"reference","policy":"lww","to":"shop"}]}]}`))

	require.NoError(t, err)
}

func TestKind_Field(t *testing.T) {
	t.Parallel()

	shop := parseSchema(t).Kind("shop")
	long := strings.Repeat("q", record.MaxMapKey)
	for _, name := range []string{"answers.q7", "answers.a.b", "answers." + long, "answers.问", "answers. "} {
		f := shop.Field(name)

		require.NotNil(t, f, name)
		require.Equal(t, name, f.Name, "a key of a map is a field of its own")
		require.Equal(t, "answers", f.Base())
		require.Equal(t, record.LWWAsk, f.Policy, "with the map's policy")
		require.Equal(t, "map", f.Type)
		require.Equal(t, []*record.Field{f}, shop.GroupOf(f))
	}
	for _, name := range []string{
		"", ".", "answers", "answers.", "answers." + long + "q", `answers.a"b`, `answers.a\b`, "answers.a\x00b",
		"name.q7", "tags.q7", "nobody", "nobody.q7", ".answers", "Answers.q7",
	} {
		require.Nil(t, shop.Field(name), "%q", name)
	}
	name := shop.Field("name")
	require.Same(t, name, shop.Field("name"))
	require.Equal(t, "name", name.Base())
}

func TestKind_GroupOf(t *testing.T) {
	t.Parallel()

	shop := parseSchema(t).Kind("shop")
	street, point := shop.Field("street"), shop.Field("point")

	require.Equal(t, []*record.Field{street, point}, shop.GroupOf(street))
	require.Equal(t, []*record.Field{street, point}, shop.GroupOf(point))
	require.Equal(t, []*record.Field{shop.Field("name")}, shop.GroupOf(shop.Field("name")))
}

func TestField_Check(t *testing.T) {
	t.Parallel()

	shop := parseSchema(t).Kind("shop")

	got, err := shop.Field("grade").Check(json.RawMessage(` "A" `))
	require.NoError(t, err)
	require.Equal(t, `"A"`, string(got))
	_, err = shop.Field("grade").Check(json.RawMessage(`"C"`))
	require.Error(t, err, "it is not among the choices")
	_, err = (&record.Field{Name: "x", Type: "colour"}).Check(json.RawMessage(`1`))
	require.ErrorContains(t, err, `no field type "colour"`)
}

func TestField_ReadableBy(t *testing.T) {
	t.Parallel()

	shop := parseSchema(t).Kind("shop")

	require.True(t, shop.Field("name").ReadableBy(nil), "nobody named means everybody")
	require.True(t, shop.Field("cost").ReadableBy([]string{"rep", "manager"}))
	require.False(t, shop.Field("cost").ReadableBy([]string{"rep"}))
	require.False(t, shop.Field("cost").ReadableBy(nil))
}

// Each policy has a name of its own.
func TestPolicies(t *testing.T) {
	t.Parallel()

	all := record.Policies()
	slices.Sort(all)

	require.Len(t, slices.Compact(all), 13)
}
