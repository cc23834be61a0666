package record_test

import (
	"encoding/json"
	"fmt"

	"roadbook/record"
	"roadbook/version"
)

// A record is stored as two texts: its values, as anybody would write them,
// and beside them who wrote what. A device that has read up to 812 gets what
// changed since.
func ExampleSince() {
	anna := record.Writer{Replica: 1, N: 1, Stamp: version.Stamp{MS: 1000}, Seq: 812}
	ben := record.Writer{Replica: 2, N: 1, Stamp: version.Stamp{MS: 2000}, Seq: 813}
	var shop record.Record
	*shop.Put("name") = record.Slot{Field: "name", Raw: json.RawMessage(`"Acme"`), By: anna}
	*shop.Put("grade") = record.Slot{Field: "grade", Raw: json.RawMessage(`"A"`), By: ben}

	fields, meta := shop.AppendFields(nil), shop.AppendMeta(nil)
	fmt.Println(string(fields))
	newer, err := record.Since(fields, meta, 812)
	fmt.Println(string(newer.AppendJSON(nil)), err)
	// Output:
	// {"name":"Acme","grade":"A"}
	// {"grade":"A"} <nil>
}

// What was stored is loaded as it was. A copy is changed without touching it.
func ExampleRecord_Load() {
	anna := record.Writer{Replica: 1, N: 1, Stamp: version.Stamp{MS: 1000}, Seq: 812}
	var shop, loaded record.Record
	*shop.Put("name") = record.Slot{Field: "name", Raw: json.RawMessage(`"Acme"`), By: anna}

	err := loaded.Load(shop.AppendFields(nil), shop.AppendMeta(nil))
	draft := loaded.Clone()
	draft.Put("name").Raw = json.RawMessage(`"Bolt"`)

	fmt.Println(loaded.Text("name"), loaded.Slot("name").By == anna, err)
	fmt.Println(draft.Text("name"))
	// Output:
	// Acme true <nil>
	// Bolt
}

// A schema says what a kind may hold. Each key of a map is a field of its own;
// the map as a whole is none.
func ExampleKind_Field() {
	s, err := record.ParseSchema([]byte(`{"version":"1","kinds":[{"kind":"visit","no":1,"fields":[
		{"field":"answers","type":"map","policy":"lww"}]}]}`))
	fmt.Println(err)

	visit := s.Kind("visit")
	fmt.Println(visit.Field("answers.q7").Policy, visit.Field("answers.q7").Base())
	fmt.Println(visit.Field("answers") == nil)
	// Output:
	// <nil>
	// lww answers
	// true
}

// A schema that does not hold together says everything that is wrong with it.
func ExampleParseSchema() {
	_, err := record.ParseSchema([]byte(`{"version":"1","kinds":[{"kind":"visit","no":1,"parent":"shop","fields":[
		{"field":"on","type":"day","policy":"lww"}]}]}`))
	fmt.Println(err)
	// Output:
	// the schema does not hold together: visit.on: no field type "day"; visit: its parent field "shop" is not there
}

// The same reason names the same record, so that what is done twice is there
// once.
func ExampleID_Derive() {
	mutation := record.MustID("0191c0de-0001-7000-8000-00000000ac01")

	first, again := mutation.Derive("name"), mutation.Derive("name")
	fmt.Println(first == again, first == mutation.Derive("phone"))
	// Output:
	// true false
}

// Values keep their order. With makes a copy.
func ExampleValues_With() {
	typed := record.Values{{Field: "name", Raw: json.RawMessage(`"Acme"`)}, {Field: "grade", Raw: json.RawMessage(`"A"`)}}

	fmt.Println(string(typed.With("grade", json.RawMessage(`"B"`)).AppendJSON(nil)))
	fmt.Println(typed.Text("grade"))
	// Output:
	// {"name":"Acme","grade":"B"}
	// A
}
