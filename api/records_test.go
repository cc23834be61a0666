package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
)

var shopAt = "/v1/records/account/" + shop.ID.String()

// writing is a server that notes what it is to write, and answers with out.
func writing(out record.Outcome, seen *record.Mutation) server {
	return newServer(func(c *api.Config) {
		c.Online = func() (api.Records, error) {
			return records{write: func(m record.Mutation) (record.Outcome, error) {
				*seen = m
				return out, nil
			}}, nil
		}
	})
}

// What arrives at the engine is what was meant.
func TestRecords_changes(t *testing.T) {
	t.Parallel()

	key := record.MustID("01930000-0000-7000-8000-0000000000a1")
	seen := `"seen":{"log":"813"}`
	tests := []struct {
		name, method, path, body string
		edit                     string
	}{
		{"create with an id", "POST", "/v1/records/account", `{"id":"` + shop.ID.String() + `","set":{"name":"x"}}`, `{"op":"create","kind":"account","id":"` + shop.ID.String() + `","set":{"name":"x"}}`},
		{"create without", "POST", "/v1/records/account", `{"set":{"name":"x"}}`, `{"op":"create","kind":"account","id":"` + key.String() + `","set":{"name":"x"}}`},
		{"edit", "POST", shopAt, `{` + seen + `,"set":{"name":"x"},"add":{"tags":["a"]},"remove":{"tags":["b"]},"inc":{"points":5},"base":{"remark":"c"},"op":"delete","kind":"visit"}`, `{"op":"edit","kind":"account","id":"` + shop.ID.String() + `",` + seen + `,"set":{"name":"x"},"add":{"tags":["a"]},"remove":{"tags":["b"]},"inc":{"points":5},"base":{"remark":"c"}}`},
		{"delete", "DELETE", shopAt + "?seen=813", "", `{"op":"delete","kind":"account","id":"` + shop.ID.String() + `",` + seen + `}`},
		{"delete blindly", "DELETE", shopAt, "", `{"op":"delete","kind":"account","id":"` + shop.ID.String() + `"}`},
		{"delete by POST", "POST", shopAt + "/delete", `{` + seen + `,"set":{"name":"x"}}`, `{"op":"delete","kind":"account","id":"` + shop.ID.String() + `",` + seen + `}`},
		{"delete by POST without a body", "POST", shopAt + "/delete", "", `{"op":"delete","kind":"account","id":"` + shop.ID.String() + `"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var got record.Mutation
			s := writing(record.Outcome{N: 1, ID: key, Result: record.Applied, Seq: 814}, &got)

			answer := s.ask(t, tt.method, tt.path, "rep", []byte(tt.body), "Idempotency-Key", key.String())

			body := text(t, answer)
			require.Equal(t, http.StatusOK, answer.StatusCode, body)
			require.Equal(t, key, got.ID)
			require.Len(t, got.Edits, 1)
			edit, err := json.Marshal(got.Edits[0])
			require.NoError(t, err)
			require.JSONEq(t, tt.edit, string(edit))
			require.Contains(t, body, `"outcome":{"n":1,`)
			require.Equal(t, got.Edits[0].ID == shop.ID, json.Valid([]byte(body)) && containsRecord(body), "the record as it is")
		})
	}
}

func containsRecord(body string) bool {
	var got struct{ Record *online.Record }
	return json.Unmarshal([]byte(body), &got) == nil && got.Record != nil && got.Record.ID == shop.ID
}

// A refusal is an error to somebody who is online, in his language, and what
// stands comes along.
func TestRecords_refused(t *testing.T) {
	t.Parallel()

	var got record.Mutation
	s := writing(record.Outcome{
		N: 4, ID: lin, Result: record.Refused, Seq: 815,
		Refusal: &record.Refusal{
			Kind: errs.Clash, Code: "floor", Detail: "stock: this would fall below 0",
			Fields: []errs.Field{{Field: "stock", Detail: "this would fall below 0"}},
		},
		Records: []record.Shown{{Kind: "account", ID: shop.ID, Seq: 813, Set: []byte(`{"stock":2}`)}},
	}, &got)

	answer := s.ask(t, "POST", shopAt, "rep", []byte(`{"inc":{"stock":-5}}`), "Idempotency-Key", lin.String(), "Accept-Language", "zh")

	require.Equal(t, http.StatusConflict, answer.StatusCode)
	require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
	body := text(t, answer)
	for _, part := range []string{
		`"kind":"clash"`, `"code":"floor"`, `"detail":"剩余数量不足。stock：结果不能低于 0。"`, `"request_id":"r1"`,
		`"outcomes":[{"n":4,`, `"set":{"stock":2}`,
	} {
		require.Contains(t, body, part)
	}
}

func TestRecords_wrongRequests(t *testing.T) {
	t.Parallel()

	secret := "13800138000"
	tests := []struct {
		name, method, path, body, key string
		status                        int
		en, zh                        string
	}{
		{"no key", "POST", shopAt, `{}`, "", 400, `"code":"idempotency_key"`, "应用没有为这次修改提供标识"},
		{"a key that is none", "POST", shopAt, `{}`, secret, 400, `"code":"idempotency_key"`, "应用没有为这次修改提供标识"},
		{"no id", "GET", "/v1/records/account/" + secret, "", "", 400, `"fields":[{"field":"id","detail":"must be a UUID"}]`, `"field":"id","detail":"必须是 UUID。"`},
		{"id in the body", "POST", "/v1/records/account", `{"id":"` + secret + `"}`, lin.String(), 400, `"fields":[{"field":"id","detail":"must be a UUID"}]`, "必须是 UUID。"},
		{"too many", "GET", "/v1/records/account?limit=201", "", "", 400, `"fields":[{"field":"limit","detail":"must be at most 200"}]`, "不能大于 200。"},
		{"none", "GET", "/v1/records/account?limit=-1", "", "", 400, `"fields":[{"field":"limit","detail":"must be at least 1"}]`, "不能小于 1。"},
		{"no number", "GET", "/v1/records/account?limit=" + "1" + "x", "", "", 400, `"fields":[{"field":"limit","detail":"must be a whole number"}]`, "必须是整数。"},
		{"no place in a history", "GET", shopAt + "/history?after=" + "x", "", "", 400, `"fields":[{"field":"after","detail":"must be a whole number"}]`, "必须是整数。"},
		{"no time", "GET", "/v1/today?at=" + secret, "", "", 400, `"code":"parameter"`, "不符合要求。"},
		{"no JSON", "POST", shopAt, `{"set":{"phone":"` + secret + `"`, lin.String(), 400, `"code":"malformed"`, "数据格式有误"},
		{"twice", "POST", shopAt, `{"set":{"a":"` + secret + `","a":1}}`, lin.String(), 400, `"code":"duplicate"`, "出现了两次"},
		{"restore of what is no dot", "POST", shopAt + "/restore", `{"field":7}`, lin.String(), 400, `"code":"type"`, "必须是"},
		{"not there", "GET", "/v1/records/visit/" + shop.ID.String(), "", "", 404, `"code":"missing"`, "找不到这条记录"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			for lang, want := range map[string]string{"en": tt.en, "zh": tt.zh} {
				headers := []string{"Accept-Language", lang}
				if tt.key != "" {
					headers = append(headers, "Idempotency-Key", tt.key)
				}
				s := newServer(nil)
				answer := s.ask(t, tt.method, tt.path, "rep", []byte(tt.body), headers...)
				body := text(t, answer)
				require.Equal(t, tt.status, answer.StatusCode, body)
				require.Contains(t, body, want)
				require.Contains(t, body, `"request_id":"r1"`)
				require.NotContains(t, body, secret, "what somebody typed is not repeated")
				require.NotContains(t, s.log.String(), secret)
			}
		})
	}
}

func TestRecords_list(t *testing.T) {
	t.Parallel()

	var asked online.Query
	s := newServer(func(c *api.Config) {
		c.Online = func() (api.Records, error) {
			return records{list: func(q online.Query) (online.Page, error) {
				asked = q
				return online.Page{Records: []online.Record{shop}, After: "p2"}, nil
			}}, nil
		}
	})
	answer := text(t, s.ask(t, "GET", "/v1/records/account?filter=stage+%3D%3D+%22won%22&sort=-name&limit=200&after=p1&unknown=1", "rep", nil))
	require.JSONEq(t, `{"records":[{"kind":"account","id":"`+shop.ID.String()+`","seq":"813","set":{"name":"兴旺超市"}}],"after":"p2"}`, answer)
	require.Equal(t, online.Query{Kind: "account", Filter: `stage == "won"`, Sort: "-name", Limit: 200, After: "p1"}, asked)

	empty := text(t, newServer(nil).ask(t, "GET", "/v1/records/account", "rep", nil))
	require.JSONEq(t, `{"records":[]}`, empty)
}

func TestRecords_unchanged(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	first := s.ask(t, "GET", shopAt, "rep", nil)
	require.Equal(t, http.StatusOK, first.StatusCode)
	tag := first.Header.Get("ETag")
	require.Contains(t, tag, `"813.`)
	require.Equal(t, "private, no-cache", first.Header.Get("Cache-Control"))

	again := s.ask(t, "GET", shopAt, "rep", nil, "If-None-Match", tag)
	require.Equal(t, http.StatusNotModified, again.StatusCode)
	require.Empty(t, text(t, again))
	require.Equal(t, http.StatusOK, s.ask(t, "GET", shopAt, "rep", nil, "If-None-Match", `"812.x"`).StatusCode)
}

func TestRecords_historyAndDay(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	require.Contains(t, text(t, s.ask(t, "GET", shopAt+"/history?after=790", "rep", nil)), `"dot":{"replica":"k7f2","n":3}`)
	require.Contains(t, text(t, s.ask(t, "GET", "/v1/today", "rep", nil)), `"day":"2026-08-01"`, "now, if nothing is said")
	require.Contains(t, text(t, s.ask(t, "GET", "/v1/today?at=2026-08-03T09:00:00%2B08:00", "rep", nil)), `"day":"2026-08-03"`)
}
