package conflicts_test

import (
	"encoding/json"
	"fmt"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/version"
)

// typing is a write by somebody's phone: its replica and number, the time that
// the server made honest, the place in the log that it gets, and up to where
// its author had read the log.
func typing(by record.ReplicaID, n uint64, ms int64, seq, read record.Seq) *conflicts.Write {
	return &conflicts.Write{
		By:   record.Writer{Replica: by, N: n, Stamp: version.Stamp{MS: ms}, Seq: seq},
		Seen: conflicts.Seen{Log: read},
	}
}

// Anna changes a phone number offline at 9, Ben the same number online at 12,
// and Anna's edit arrives last. Neither had read the other, so the later time
// stands, whatever the order of arrival. Cara has read what stands: her change
// is no clash, and not even her slow clock is in its way, because the server
// made her time honest.
func ExampleLWW() {
	verdicts := []string{"took", "beat", "lost", "agreed", "kept"}
	number := record.Slot{Field: "phone"}

	ben := conflicts.LWW(&number, json.RawMessage(`"138…12"`), typing(2, 1, 12, 1, 0))
	fmt.Println("ben", verdicts[ben], string(number.Raw))
	anna := conflicts.LWW(&number, json.RawMessage(`"138…09"`), typing(1, 1, 9, 2, 0))
	fmt.Println("anna", verdicts[anna], string(number.Raw))
	cara := conflicts.LWW(&number, json.RawMessage(`"138…13"`), typing(3, 1, 13, 3, 2))
	fmt.Println("cara", verdicts[cara], string(number.Raw))
	// Output:
	// ben took "138…12"
	// anna lost "138…12"
	// cara took "138…13"
}

// Anna and Ben tag a customer, and Cara, who has seen Anna's tag only, takes
// it away. Ben's add of the same tag she had not seen, so the tag stays.
func ExampleAdd() {
	tags := record.Slot{Field: "tags"}

	conflicts.Add(&tags, json.RawMessage(`"frozen"`), typing(1, 1, 9, 1, 0))
	conflicts.Add(&tags, json.RawMessage(`"frozen"`), typing(2, 1, 9, 2, 0))
	conflicts.Add(&tags, json.RawMessage(`"chain"`), typing(2, 1, 9, 2, 0))
	fmt.Println(string(tags.Raw))
	gone := conflicts.Remove(&tags, json.RawMessage(`"frozen"`), typing(3, 1, 10, 3, 1))
	fmt.Println(string(tags.Raw), gone)
	gone = conflicts.Remove(&tags, json.RawMessage(`"frozen"`), typing(3, 2, 11, 4, 3))
	fmt.Println(string(tags.Raw), gone)
	// Output:
	// ["chain","frozen"]
	// ["chain","frozen"] false
	// ["chain"] true
}

// Points given by two people while apart add up.
func ExampleCount() {
	points := record.Slot{Field: "points", Raw: json.RawMessage("10")}

	fmt.Println(conflicts.Count(&points, 5, typing(1, 1, 9, 2, 1)), string(points.Raw))
	fmt.Println(conflicts.Count(&points, -3, typing(2, 1, 8, 3, 1)), string(points.Raw))
	_, err := conflicts.Delta(json.RawMessage("0.5"))
	fmt.Println(err)
	// Output:
	// <nil> 15
	// <nil> 12
	// an amount is a whole number between ±9007199254740991
}

// The first check-in that the log accepts stays, also against its own author.
func ExampleOnce() {
	checkIn := record.Slot{Field: "check_in"}

	fmt.Println(conflicts.Once(&checkIn, json.RawMessage(`"09:00"`), typing(1, 1, 9, 1, 0)) == conflicts.Took)
	fmt.Println(conflicts.Once(&checkIn, json.RawMessage(`"08:30"`), typing(1, 2, 10, 2, 1)) == conflicts.Kept)
	fmt.Println(string(checkIn.Raw))
	// Output:
	// true
	// true
	// "09:00"
}

// A customer was last met on the latest day that anybody says, in whatever
// order they say so.
func ExampleExtreme() {
	lastMet := &record.Field{Name: "last_met", Type: "date", Policy: record.Max}
	day := record.Slot{Field: "last_met"}

	for i, said := range []string{`"2026-11-20"`, `"2026-11-18"`, `"2026-11-21"`} {
		w := typing(record.ReplicaID(i+1), 1, 9, record.Seq(i+1), 0)
		if _, err := conflicts.Extreme(&day, lastMet, json.RawMessage(said), w); err != nil {
			fmt.Println(err)
		}
		fmt.Println(string(day.Raw))
	}
	// Output:
	// "2026-11-20"
	// "2026-11-20"
	// "2026-11-21"
}

// Anna deletes a customer. If she had not seen what Ben wrote, the customer
// stays; if his edit comes after her delete, it brings the customer back. Both
// orders end the same. What he wrote with the delete on his screen is too late.
func ExampleDelete() {
	shop := &record.Record{Kind: &record.Kind{Name: "shop", OnDelete: record.Revive}}
	shop.Saw(typing(2, 1, 9, 2, 1).By) // Ben's edit, at 2

	fmt.Println("unseen:", conflicts.Delete(shop, typing(1, 1, 9, 3, 1)) == conflicts.Yields)
	fmt.Println("seen:", conflicts.Delete(shop, typing(1, 1, 9, 3, 2)) == conflicts.Deletes)

	shop.State, shop.Tomb = record.Deleted, typing(1, 1, 9, 3, 2).By
	fmt.Println("ben, unaware:", conflicts.Meet(shop, typing(2, 2, 9, 4, 2)) == conflicts.Revives)
	fmt.Println("ben, aware:", conflicts.Meet(shop, typing(2, 2, 9, 4, 3)) == conflicts.TooLate)
	// Output:
	// unseen: true
	// seen: true
	// ben, unaware: true
	// ben, aware: true
}

// An edit is settled field by field, each by its policy, and the report says
// what was lost to whom: what stood there before, for history, and the clash.
func ExampleApply() {
	schema := &record.Schema{Kinds: []*record.Kind{{Name: "shop", No: 1, Fields: []*record.Field{
		{Name: "name", Type: "text", Policy: record.LWW},
		{Name: "points", Type: "number", Policy: record.Counter},
	}}}}
	if err := schema.Check(); err != nil {
		fmt.Println(err)
	}
	shop := &record.Record{Kind: schema.Kind("shop"), Seq: 1}
	anna := record.Edit{
		Op: record.OpEdit, Set: record.Values{{Field: "name", Raw: json.RawMessage(`"Acme"`)}},
		Inc: record.Values{{Field: "points", Raw: json.RawMessage("5")}},
	}
	ben := record.Edit{
		Op: record.OpEdit, Set: record.Values{{Field: "name", Raw: json.RawMessage(`"ACME"`)}},
		Inc: record.Values{{Field: "points", Raw: json.RawMessage("2")}},
	}

	_, _ = conflicts.Apply(shop, &anna, typing(1, 1, 9, 2, 1))
	report, err := conflicts.Apply(shop, &ben, typing(2, 1, 10, 3, 1))

	fmt.Println(string(shop.AppendFields(nil)), err)
	fmt.Println(string(report.Was.AppendJSON(nil)))
	for _, c := range report.Clashes {
		fmt.Println(c.Field.Name, "kept", string(c.Kept), "lost", string(c.Lost))
	}
	// Output:
	// {"name":"ACME","points":7} <nil>
	// {"name":"Acme","points":5}
	// name kept "ACME" lost "Acme"
}

// Anna has won a deal and Ben has lost it, and neither knew of the other. The
// table asks a person, so the deal stays where both of them had it, until Cara
// decides, who has read both.
func ExampleState() {
	stage := &record.Field{
		Name: "stage", Type: "choice", Policy: record.Process, Choices: []string{"offer", "won", "lost"},
		States: &record.States{
			Moves: map[string][]string{"offer": {"won", "lost"}}, Joins: []record.Join{{Of: []string{"won", "lost"}, Ask: true}},
		},
	}
	slot := record.Slot{Field: "stage", Raw: json.RawMessage(`"offer"`), By: record.Writer{Replica: 9, N: 1, Seq: 1}}
	says := func(to string, w *conflicts.Write) {
		version := record.Version{By: w.By, Raw: json.RawMessage(to), From: json.RawMessage(`"offer"`)}
		_, joined := conflicts.State(&slot, stage, version, w)
		fmt.Println(to, "→", string(slot.Raw), joined.Ask)
	}

	says(`"won"`, typing(1, 1, 9, 2, 1))
	says(`"lost"`, typing(2, 1, 10, 3, 1))
	says(`"won"`, typing(3, 1, 11, 4, 3))
	// Output:
	// "won" → "won" false
	// "lost" → "offer" true
	// "won" → "won" false
}

// Anna ticks a line off and Ben puts one in above it, and each sends his whole
// list. What either has changed is in it, in the order in which they had it.
func ExampleApply_list() {
	schema := &record.Schema{Kinds: []*record.Kind{{Name: "task", No: 1, Fields: []*record.Field{
		{Name: "checklist", Type: "rows", Policy: record.List},
	}}}}
	if err := schema.Check(); err != nil {
		fmt.Println(err)
	}
	task := &record.Record{Kind: schema.Kind("task"), Seq: 1}
	const photo, shelf = "0190aaaa-0000-7000-8000-000000000001", "0190aaaa-0000-7000-8000-000000000002"
	sends := func(list string, w *conflicts.Write) {
		before := task.Raw("checklist")
		if w.Seen.Log == 2 {
			before = json.RawMessage(`[{"id":"` + photo + `"}]`)
		}
		w.At = func(string, record.Seq) (json.RawMessage, error) { return before, nil }
		e := &record.Edit{Op: record.OpEdit, Set: record.Values{{Field: "checklist", Raw: json.RawMessage(list)}}}
		if _, err := conflicts.Apply(task, e, w); err != nil {
			fmt.Println(err)
		}
	}

	sends(`[{"id":"`+photo+`"}]`, typing(9, 1, 8, 2, 1))
	sends(`[{"id":"`+photo+`","done":true}]`, typing(1, 1, 9, 3, 2))
	sends(`[{"id":"`+shelf+`"},{"id":"`+photo+`"}]`, typing(2, 1, 10, 4, 2))

	var rows []struct {
		ID   string
		Done bool
	}
	fmt.Println(json.Unmarshal(task.Raw("checklist"), &rows), len(rows), rows[0].ID == shelf, rows[1].Done)
	// Output:
	// <nil> 2 true true
}

// Anna and Ben have each agreed on other terms with a customer. What was agreed
// before stays in force until Cara decides, who has read both.
func ExampleManual() {
	terms := record.Slot{Field: "terms", Raw: json.RawMessage(`"30 days"`), By: record.Writer{Replica: 9, N: 1, Seq: 1}}
	says := func(to string, w *conflicts.Write) {
		conflicts.Manual(&terms, record.Version{By: w.By, Raw: json.RawMessage(to), From: json.RawMessage(`"30 days"`)}, w)
		fmt.Println(to, "→", string(terms.Raw))
	}

	says(`"60 days"`, typing(1, 1, 9, 2, 1))
	says(`"cash"`, typing(2, 1, 10, 3, 1))
	says(`"60 days"`, typing(3, 1, 11, 4, 3))
	// Output:
	// "60 days" → "60 days"
	// "cash" → "30 days"
	// "60 days" → "60 days"
}
