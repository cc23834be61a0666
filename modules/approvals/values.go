package approvals

import (
	"encoding/json"
	"strconv"
	"time"

	"roadbook/record"
)

func text(field, value string) record.Value {
	if value == "" {
		return record.Value{Field: field, Raw: json.RawMessage("null")}
	}
	return record.Value{Field: field, Raw: record.AppendString(nil, value)}
}

func reference(field string, id record.ID) record.Value {
	if id.IsZero() {
		return text(field, "")
	}
	return text(field, id.String())
}

func number(field string, n int64) record.Value {
	return record.Value{Field: field, Raw: strconv.AppendInt(nil, n, 10)}
}

func instant(field string, at time.Time) record.Value {
	if at.IsZero() {
		return text(field, "")
	}
	return text(field, at.UTC().Format(time.RFC3339))
}

// document is a value that is kept as the text of a JSON document: it is shown, and
// never merged.
func document(field string, v any) (record.Value, error) {
	b, err := json.Marshal(v)
	return text(field, string(b)), err
}

func numberIn(rec *record.Record, field string) int64 {
	n, _ := strconv.ParseInt(string(rec.Raw(field)), 10, 64) // none is nought
	return n
}

func people(ids []record.ID) json.RawMessage {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = id.String()
	}
	b, _ := json.Marshal(texts) // of texts, which can be written
	return b
}

// facts are the values of the fields that a decision is about.
type facts map[string]json.RawMessage

func (p *plan) facts(rec *record.Record) facts {
	f := facts{}
	for _, name := range p.Relevant {
		if raw := rec.Raw(name); !record.IsNull(raw) {
			f[name] = raw
		}
	}
	return f
}

// difference is a field that has another value than somebody had before him.
type difference struct {
	Field string          `json:"field"`
	Seen  json.RawMessage `json:"seen"`
	Now   json.RawMessage `json:"now"`
}

func same(a, b json.RawMessage) bool {
	return string(record.OrNull(a)) == string(record.OrNull(b))
}
