package device_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/clients/go/localstore"
	"roadbook/record"
	"roadbook/sync/wire"
)

// raw answers with these very bytes.
func raw(status int, body []byte) script {
	return func([]byte) (int, any) { return status, string(body) }
}

// drawn draws everything that a device can show.
func (p *phone) drawn() string {
	p.t.Helper()
	var all []any
	for _, kind := range []string{"account", "contact", ""} {
		all = append(all, p.List(kind))
	}
	status := p.Status()
	all = append(all, p.Outbox(), p.Refused(), status.Outbox, status.Journal)
	text, err := json.Marshal(all)
	require.NoError(p.t, err)
	return string(text)
}

// FuzzAnswer lets a server, or whatever stands in its place, answer a push or
// a pull with anything: the device does not panic, gives up nothing that was
// typed without a verdict on it, and shows the same after it was killed.
func FuzzAnswer(f *testing.F) {
	id := "0190a0b0-0000-7000-8000-0000000000ac"
	for _, body := range []string{
		`{}`, `null`, `[]`, `{"cursor":"c","epoch":"e1","complete":true,"changes":null}`,
		`{"cursor":"c","epoch":"e1","complete":true,"changes":[{"kind":"account","id":"` + id + `","seq":"7","full":true,"set":{"name":"x"}}]}`,
		`{"cursor":"c","epoch":"e1","complete":true,"changes":[{"id":"` + id + `","seq":"-7","set":{"tags":7,"points":"x"}}],"drop_scopes":["a",""]}`,
		`{"cursor":"c","epoch":"e2","complete":true,"changes":[],"withdraw":[{"kind":"account","fields":["name"]}]}`,
		`{"cursor":"c","epoch":"e1","complete":true,"changes":[],"schema":{"version":"9","kinds":[{"kind":"account","fields":null}]}}`,
		`{"epoch":"e1","outcomes":[{"n":1,"id":"%ID","result":"applied","seq":"101","over":{"` + id + `":{"\u0001":1}}}]}`,
		`{"epoch":"e1","outcomes":[{"n":1,"id":"%ID","result":"refused"},{"n":1,"id":"%ID","result":"merged"}]}`,
		`{"epoch":"e1","outcomes":[{"n":9,"id":"%ID","result":"parked","seq":"x"}],"high":{"ms":9223372036854775807,"c":65535}}`,
		`{"kind":"clash","code":"fork","from_n":1,"replica":"","next_n":0,"ids":{"x":"y"}}`,
		`{"kind":"clash","code":"fork","from_n":1,"replica":"new","next_n":1,"epoch":"e1"}`,
		`{"kind":"clash","code":"hole","next_n":18446744073709551615}`,
		`{"kind":"stale","code":"rewound","epoch":"e0"}`, `{"kind":"invalid","code":"size"}`,
	} {
		for _, status := range []uint16{200, 409, 410, 503} {
			f.Add(status, []byte(body), true)
			f.Add(status, []byte(body), false)
		}
	}
	f.Fuzz(func(t *testing.T, status uint16, body []byte, pulls bool) {
		if status < 200 || status > 599 || status == http.StatusUnauthorized {
			return
		}
		p := signedIn(t, newServer(t))
		p.create("account", device.Values{"name": "Acme", "tags": []string{"a"}, "points": 3})
		p.push()
		typed := p.create("account", device.Values{"name": "Beta"})
		mutation := p.last().ID
		body = replaced(body, mutation.String())
		path := "/v1/sync/push"
		if pulls {
			path = "/v1/sync/pull"
		}
		p.server.next(path, raw(int(status), body))

		_, err := p.Sync(t.Context())
		_ = err // anything but a panic

		shown := p.drawn()
		p.reopen()
		require.Equal(t, shown, p.drawn(), "killed and opened again")
		if !verdictOn(body, mutation) && err != nil {
			require.Contains(t, shown, typed.String(), "what was typed is there")
		}
	})
}

func replaced(body []byte, id string) []byte {
	var out []byte
	for i := 0; i < len(body); i++ {
		if body[i] == '%' && i+3 <= len(body) && string(body[i:i+3]) == "%ID" {
			out = append(out, id...)
			i += 2
			continue
		}
		out = append(out, body[i])
	}
	return out
}

// verdictOn reports whether an answer of any form has a verdict on a mutation.
func verdictOn(body []byte, id record.ID) bool {
	var some struct{ Outcomes []record.Outcome }
	_ = json.Unmarshal(body, &some) // what can be read of it
	for _, o := range some.Outcomes {
		if o.ID == id {
			return true
		}
	}
	return false
}

// FuzzStore opens stores in which anything is written, as after a broken disk:
// it is an error or a device that can be used and opened again.
func FuzzStore(f *testing.F) {
	tables := []string{"meta", "entries", "refused", "pages", "base.a"}
	id := record.MustID("0190a0b0-0000-7000-8000-0000000000ac")
	entry := `{"order":1,"prev":"","bytes":9,"mutation":{"n":1,"id":"` + id.String() + `","stamp":{"ms":1,"c":0},` +
		`"edits":[{"op":"create","kind":"account","id":"` + id.String() + `","set":{"name":"x"}}]}`
	f.Add(uint8(1), []byte("00000001"), []byte(entry+`}`))
	f.Add(uint8(1), []byte("00000001"), []byte(entry+`,"verdict":{"result":"applied","seq":"7","showing":true,"kept":true}}`))
	f.Add(uint8(1), []byte("00000001"), []byte(`{"mutation":{"edits":null}}`))
	f.Add(uint8(1), []byte("00000001"), []byte(`null`))
	f.Add(uint8(0), []byte("identity"), []byte(`{"format":3}`))
	f.Add(uint8(0), []byte("sight"), []byte(`{"slot":"c","resync":true}`))
	f.Add(uint8(0), []byte("schema"), []byte(`{"kinds":[null]}`))
	f.Add(uint8(2), []byte("00000001"), []byte(`null`))
	f.Add(uint8(3), []byte("00000001"), []byte(`null`))
	f.Add(uint8(4), id[:], []byte(`{"kind":"account","seq":"3","set":{"name":"x","tags":[1,"]"]}}`))
	f.Add(uint8(4), id[:], []byte(`null`))
	f.Add(uint8(4), id[:3], []byte(`{}`))
	f.Fuzz(func(t *testing.T, table uint8, key, value []byte) {
		if len(key) == 0 || value == nil {
			return
		}
		memory := &localstore.Memory{}
		require.NoError(t, memory.Write([]localstore.Write{{Table: tables[int(table)%len(tables)], Key: key, Value: value}}))
		s := newServer(t)
		cfg := device.Config{
			Store: memory, HTTP: &http.Client{Transport: s}, NewID: newIDs(), BaseURL: "http://server", Kind: "phone",
			Now: func() time.Time { return noon },
		}
		d, err := device.Open(cfg)
		if err != nil {
			return
		}
		p := &phone{t: t, Device: d, cfg: cfg, server: s}
		p.drawn()
		_ = d.SignIn(t.Context(), "demo", "lin", "secret")
		_, _ = d.Create("account", device.Values{"name": "Acme"})
		_, _ = d.Sync(t.Context())
		p.drawn()
		require.NoError(t, d.Close())
		d, err = device.Open(cfg)
		require.NoError(t, err, "what opened once opens again")
		require.NoError(t, d.Close())
	})
}

// FuzzPage holds a page from a server to what a device then holds: with a
// whole record in it, the device has it as it was sent.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"name":"x"}`), "account", int64(7))
	f.Add([]byte(`{"tags":[1,"]"],"\u0000":null,"a.b":{"c":[[]]}}`), "", int64(-1))
	f.Fuzz(func(t *testing.T, set []byte, kind string, seq int64) {
		values, err := record.ParseValues(set)
		if err != nil || !json.Valid(set) || seq < 0 {
			return
		}
		p := signedIn(t, newServer(t))
		change := wire.Change{Kind: kind, ID: acme, Seq: record.Seq(seq), Full: true, In: []string{"all"}, Set: values}
		if _, err := json.Marshal(change); err != nil {
			return
		}

		p.give(p.server, page("c1", change))

		before := p.drawn()
		p.reopen()
		require.Equal(t, before, p.drawn())
	})
}
