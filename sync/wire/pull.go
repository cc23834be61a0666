package wire

import (
	"strconv"
	"strings"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/version"
)

// ReadPull reads a pull. What is out of bounds is refused, never bent, with
// every member named that is wrong; an absent max_bytes, or 0, is
// DefaultPageBytes. The cursor is handed on as it is: whether it is genuine is
// for those to say who made it.
func ReadPull(body []byte) (*PullRequest, error) {
	members, err := cutPull(body)
	if err != nil {
		return nil, err
	}
	p := &PullRequest{}
	var r pullReader
	for _, m := range members {
		if !record.IsNull(m.Raw) {
			r.member(p, m)
		}
	}
	if p.Replica == "" {
		r.wrong("replica", "every pull names the replica it is for")
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = DefaultPageBytes
	}
	if len(r.problems) > 0 {
		return nil, badPull(strings.TrimPrefix(r.problems[0].Field, "want.")).Of(r.problems...)
	}
	return p, nil
}

// cutPull checks the text of a pull and cuts it into members.
func cutPull(body []byte) (record.Values, error) {
	code := check(body, MaxPullBytes)
	if code == "" {
		members, err := record.ParseValues(body)
		if err == nil {
			return members, nil
		}
		code = cutCode(err)
	}
	return nil, badPull(code)
}

func badPull(code string) *errs.Error {
	return errs.New("wire.ReadPull", errs.Invalid,
		"The app asked for something that the server does not understand. Please update the app.").Coded(code)
}

// pullReader collects what is wrong with a pull.
type pullReader struct {
	names    record.Names
	problems []errs.Field
}

func (r *pullReader) wrong(field, detail string) {
	r.problems = append(r.problems, errs.Field{Field: field, Detail: detail})
}

func (r *pullReader) member(p *PullRequest, m record.Value) {
	switch m.Field {
	case "replica":
		name, ok := shortText(&r.names, m.Raw, MaxName)
		if p.Replica = version.Replica(name); !ok {
			r.wrong(m.Field, "a replica is a short text")
		}
	case "cursor":
		var ok bool
		if p.Cursor, ok = r.names.Text(m.Raw); !ok {
			r.wrong(m.Field, "a cursor is the text of the last answer, or empty")
		}
	case "max_bytes":
		p.MaxBytes = r.number(m, MaxPageBytes)
	case "wait_ms":
		p.WaitMS = r.number(m, MaxWaitMS)
	case "digest":
		p.Digest = r.flag(m)
	case "want":
		p.Want = r.want(m)
	}
}

// number reads a count from 0, which stands for the default, to most.
func (r *pullReader) number(m record.Value, most int) int {
	n, ok := clamped(m.Raw)
	if !ok || n < 0 || n > int64(most) {
		r.wrong(m.Field, "a whole number up to "+strconv.Itoa(most)+" is expected")
		return 0
	}
	return int(n)
}

func (r *pullReader) flag(m record.Value) bool {
	if s := string(m.Raw); s != "true" && s != "false" {
		r.wrong(m.Field, "true or false is expected")
	}
	return string(m.Raw) == "true"
}

func (r *pullReader) want(m record.Value) *Want {
	members, err := record.ParseValues(m.Raw)
	if err != nil {
		r.wrong(m.Field, err.Error())
		return nil
	}
	w := &Want{}
	for _, v := range members {
		if record.IsNull(v.Raw) {
			continue
		}
		switch v.Field {
		case "pins":
			w.Pins = r.pins(v.Raw)
		case "kinds":
			w.Kinds = r.kinds(v.Raw)
		case "from":
			w.From = r.month(v.Raw)
		}
	}
	return w
}

func (r *pullReader) pins(raw []byte) []record.ID {
	list, err := record.AppendList(nil, raw, MaxPins)
	if err != nil {
		r.wrong("want.pins", "at most "+strconv.Itoa(MaxPins)+" records can be pinned")
		return nil
	}
	pins := make([]record.ID, 0, len(list))
	for _, one := range list {
		id, ok := record.RawID(one)
		if !ok {
			r.wrong("want.pins", "a pin is the id of a record")
			return nil
		}
		pins = append(pins, id)
	}
	return pins
}

func (r *pullReader) kinds(raw []byte) []string {
	list, err := record.AppendList(nil, raw, MaxKinds)
	if err != nil {
		r.wrong("want.kinds", "at most "+strconv.Itoa(MaxKinds)+" kinds can be named")
		return nil
	}
	kinds := make([]string, 0, len(list))
	for _, one := range list {
		name, ok := shortText(&r.names, one, MaxName)
		if !ok || name == "" {
			r.wrong("want.kinds", "a kind is a short text")
			return nil
		}
		kinds = append(kinds, name)
	}
	return kinds
}

// month reads a month such as 2026-08.
func (r *pullReader) month(raw []byte) string {
	s, ok := shortText(&r.names, raw, MaxName)
	if t, err := time.Parse("2006-01", s); !ok || err != nil || t.Year() < 1970 || t.Year() > 2200 {
		r.wrong("want.from", "a month such as 2026-08 is expected")
		return ""
	}
	return s
}
