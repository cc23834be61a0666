package wire_test

import (
	"fmt"

	"roadbook/record"
	"roadbook/sync/wire"
)

// A phone's app has a fault and sends half an emoji in its second change. The
// change is refused by name; the ones around it are as good as ever.
func ExampleReadPush() {
	push, err := wire.ReadPush([]byte(`{"replica":"k7f2","prev":"","schema":"3","mutations":[
		{"n":1,"id":"01932b4e-7c1a-7f00-8a00-000000000001","stamp":{"ms":1763712930123,"c":0},
		 "edits":[{"op":"create","kind":"account","id":"01932b4e-7c1a-7f00-8a00-00000000ac03",
		           "set":{"name":"兴旺超市"}}]},
		{"n":2,"id":"01932b4e-7c1a-7f00-8a00-000000000002","stamp":{"ms":1763712990456,"c":0},
		 "edits":[{"op":"edit","kind":"account","id":"01932b4e-7c1a-7f00-8a00-00000000ac03",
		           "set":{"remark":"great \ud83d"}}]},
		{"n":3,"id":"01932b4e-7c1a-7f00-8a00-000000000003","stamp":{"ms":1763712990457,"c":0},
		 "edits":[{"op":"delete","kind":"task","id":"01932b4e-7c1a-7f00-8a00-00000000fa57",
		           "seen":{"log":"790"}}]}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range push.Mutations {
		if m.Broken != nil {
			fmt.Println(m.N, m.Broken.Code+":", m.Broken.Msg)
			continue
		}
		fmt.Println(m.N, m.Edits[0].Op, m.Edits[0].Kind, m.Edits[0].Set.Text("name"))
	}
	// Output:
	// 1 create account 兴旺超市
	// 2 surrogate: This change contains half a character, perhaps of an emoji. Please delete it and save again.
	// 3 delete task
}

// However a value is written, its canonical form is one, so that its hash is.
func ExampleCanonical() {
	for _, raw := range []string{`{"b": 1, "a": "\u5174\u65fa"}`, `{"a":"兴旺","b":1}`} {
		text, err := wire.Canonical(nil, []byte(raw))
		fmt.Println(string(text), err)
	}
	// Output:
	// {"a":"兴旺","b":1} <nil>
	// {"a":"兴旺","b":1} <nil>
}

// A page is written change by change until it is full; then what stands around
// the changes is added.
func ExamplePageWriter() {
	var page wire.PageWriter
	page.ChangeText(wire.Change{
		Kind: "account", ID: record.MustID("01932b4e-7c1a-7f00-8a00-00000000ac03"), Seq: 813,
		Full: true, In: []string{"owner:lin"},
	}, []byte(`{"name":"兴旺超市"}`))
	page.Change(wire.Change{
		Kind: "task", ID: record.MustID("01932b4e-7c1a-7f00-8a00-00000000fa57"), Seq: 815, Gone: wire.GoneDeleted,
	})
	text, err := page.Finish(&wire.PullAnswer{Cursor: "Y3Vyc29y", Complete: true})
	fmt.Println(page.Len(), "changes,", page.Size(), "bytes,", err)
	fmt.Println(string(text[:70]))
	// Output:
	// 2 changes, 224 bytes, <nil>
	// {"changes":[{"kind":"account","id":"01932b4e-7c1a-7f00-8a00-00000000ac
}

// Two servers, or a server and a device's copy, compare what they hold by two
// numbers per scope.
func ExampleTally() {
	acme := record.MustID("01932b4e-7c1a-7f00-8a00-00000000ac01")
	bolt := record.MustID("01932b4e-7c1a-7f00-8a00-00000000ac02")
	var here, there wire.Tally
	here.Add(wire.Sum(acme, 813, 42))
	here.Add(wire.Sum(bolt, 814, 42))
	there.Add(wire.Sum(bolt, 814, 42))
	there.Add(wire.Sum(acme, 812, 42)) // one seq behind
	fmt.Println(here.Count == there.Count, here.Digest() == there.Digest())
	// Output: true false
}
