package approvals

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"roadbook/record"
	"roadbook/rules"
)

// vocabulary is what the conditions of flows about a kind may speak of: its
// fields, those of the customer that the record belongs to, and who asks.
type vocabulary struct {
	kind, customer *record.Kind
	roles          []string
	language       *rules.Language
}

// speak makes the vocabulary of a kind. find finds others by name.
func speak(find func(string) *record.Kind, kind *record.Kind) *vocabulary {
	v := &vocabulary{kind: kind}
	if user := find("user"); user != nil && user.Field("roles") != nil {
		v.roles = user.Field("roles").Choices
	}
	names := rules.Names{"submitter.roles": rules.Several}
	for _, f := range kind.Fields {
		name(names, "", f)
	}
	if v.customer = find("account"); v.customer != nil && kind != v.customer {
		for _, f := range v.customer.Fields {
			if len(f.Readers) == 0 {
				name(names, "customer.", f)
			}
		}
	}
	v.language = rules.Speak(names)
	return v
}

func name(names rules.Names, prefix string, f *record.Field) {
	names[prefix+f.Name] = shapeOf(f)
	if f.Type == "money" {
		names[prefix+f.Name+".currency"] = rules.AText
	}
}

func shapeOf(f *record.Field) rules.Shape {
	if f.Policy == record.Set {
		return rules.Several
	}
	switch f.Type {
	case "number", "decimal", "money":
		return rules.ANumber
	case "bool":
		return rules.YesOrNo
	case "datetime":
		return rules.ATime
	case "multi_choice", "tags", "files", "rows":
		return rules.Several
	case "map", "place", "evidence":
		return rules.Members
	}
	return rules.AText
}

// values are the fields of a record and of its customer, as conditions see them.
func (v *vocabulary) values(rec, customer *record.Record, roles []string) map[string]any {
	all := map[string]any{}
	for i := range rec.Slots {
		put(all, "", rec.Kind, rec.Slots[i].Field, rec.Slots[i].Raw)
	}
	if customer != nil && v.customer != nil {
		for i := range customer.Slots {
			put(all, "customer.", customer.Kind, customer.Slots[i].Field, customer.Slots[i].Raw)
		}
	}
	list := make([]any, len(roles))
	for i, r := range roles {
		list[i] = r
	}
	all["submitter.roles"] = list
	return all
}

func put(all map[string]any, prefix string, kind *record.Kind, name string, raw json.RawMessage) {
	f := kind.Field(name)
	if f == nil || record.IsNull(raw) {
		return
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return
	}
	switch shapeOf(f) {
	case rules.ANumber:
		if n, is := numberOf(v); is {
			all[prefix+name] = n
		}
		if m, is := v.(map[string]any); is {
			all[prefix+name+".currency"] = m["currency"]
		}
	case rules.ATime:
		if text, is := v.(string); is {
			if t, err := time.Parse(time.RFC3339, text); err == nil {
				all[prefix+name] = t
			}
		}
	default:
		all[prefix+name] = v
	}
}

// numberOf is a number, a decimal, which is a text, or an amount of money, whatever
// its currency.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case string:
		n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
		return n, err == nil
	case map[string]any:
		return numberOf(v["amount"])
	}
	return 0, false
}
