package field_test

import (
	"encoding/json"
	"fmt"

	"roadbook/record/field"
)

// A phone and a web client spell the same values differently. What is stored is
// the same bytes.
func ExampleLookup() {
	for _, v := range []struct{ name, typed string }{
		{"decimal", `"+0012.50"`},
		{"decimal", `12.5`},
		{"phone", `"（+86）138 0013-8000"`},
		{"datetime", `"2026-11-21T17:00:00+08:00"`},
		{"date", `"2026-02-30"`},
	} {
		typ, _ := field.Lookup(v.name)
		stored, err := typ.Check(field.Spec{}, json.RawMessage(v.typed))
		if err != nil {
			fmt.Println("the", v.name, err)
			continue
		}
		fmt.Println(string(stored))
	}
	// Output:
	// "12.5"
	// "12.5"
	// "+8613800138000"
	// "2026-11-21T09:00:00Z"
	// the date must be a date of the calendar, such as 2026-11-21
}

// A field with the policy set is checked element by element.
func ExampleType() {
	tags, _ := field.Lookup("tags")
	for _, element := range []string{`" 冷链 "`, `"冷\u94fe"`, `""`} {
		stored, err := tags.Check(field.Spec{}, json.RawMessage(element))
		fmt.Println(string(stored), err)
	}
	// Output:
	// "冷链" <nil>
	// "冷链" <nil>
	//  must be a tag with at least one character
}

// The policies max and min go by value: "9.5" is less than "10".
func ExampleCompare() {
	order, err := field.Compare("decimal", json.RawMessage(`"9.5"`), json.RawMessage(`"10"`))
	fmt.Println(order, err)
	_, err = field.Compare("text", json.RawMessage(`"9.5"`), json.RawMessage(`"10"`))
	fmt.Println(err)
	// Output:
	// -1 <nil>
	// field: values of type "text" have no order
}
