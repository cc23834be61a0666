package device_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/match/sieve"
	"roadbook/sync/wire"
)

// matchedSchema is one in which duplicates of customers are found.
const matchedSchema = `{"version":"4","kinds":[{"kind":"account",
	"match":{"keys":{"name":"company","phones":"phone"},"certain":[["name","phones"]],"likely":[["phones"]],"forms":["有限公司"],"country":"86"},
	"fields":[{"field":"name","type":"text","policy":"lww"},{"field":"phones","type":"phone","policy":"set"}]}]}`

// sieveOf is the sieve of customers, as it travels.
func sieveOf(t *testing.T, customers ...record.Values) string {
	t.Helper()
	var schema struct{ Kinds []*record.Kind }
	require.NoError(t, json.Unmarshal([]byte(matchedSchema), &schema))
	var keys []string
	for _, c := range customers {
		for _, k := range schema.Kinds[0].MatchesOf(c) {
			keys = append(keys, k.Index())
		}
	}
	made, err := sieve.New(sieve.Salt{1}, keys)
	require.NoError(t, err)
	text, err := made.Bytes()
	require.NoError(t, err)
	return string(text)
}

const fingerprints = "/v1/duplicates/fingerprints"

// knowing is a phone that keeps the sieve of customers.
func knowing(t *testing.T, s *server) *phone {
	t.Helper()
	p := signedIn(t, s)
	p.cfg.Known = []string{"account"}
	p.reopen()
	first := page("e1/1/1")
	first.Schema = json.RawMessage(matchedSchema)
	p.give(s, first)
	return p
}

func (p *phone) sync() {
	p.t.Helper()
	_, err := p.Sync(p.t.Context())
	require.NoError(p.t, err)
}

// maybe asks for a customer without a signal.
func (p *phone) maybe(name string, phones ...string) ([]device.Alike, bool) {
	p.t.Helper()
	p.net.Offline(true)
	defer p.net.Offline(false)
	found, asked, err := p.MaybeKnown("account", device.Values{"name": name, "phones": phones})
	require.NoError(p.t, err)
	return found, asked
}

var (
	ofOthers = record.Values{{Field: "name", Raw: json.RawMessage(`"兴旺超市"`)}, {Field: "phones", Raw: json.RawMessage(`["13800138000"]`)}}
	certain  = device.Alike{Certain: true, Fields: []string{"name", "phones"}}
	likely   = device.Alike{Fields: []string{"phones"}}
)

// Without a signal a device says what it has itself and what others seem to
// have; and that it does not know as long as it has no sieve.
func TestMaybeKnown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := knowing(t, s)
	found, asked := p.maybe("兴旺超市", "13800138000")
	require.False(t, asked)
	require.Empty(t, found)

	s.sieve(sieveOf(t, ofOthers), `"1"`)
	p.sync()
	found, asked = p.maybe("兴旺 超市有限公司", "+86 138 0013 8000")
	require.True(t, asked)
	require.Equal(t, []device.Alike{certain, likely}, found)
	found, _ = p.maybe("福来小吃", "138-0013-8000")
	require.Equal(t, []device.Alike{likely}, found)
	found, asked = p.maybe("福来小吃", "13900139000")
	require.True(t, asked)
	require.Empty(t, found, "nobody has it")

	mine := p.create("account", device.Values{"name": "兴旺超市", "phones": []string{"13800138000"}})
	own := certain
	own.ID = mine
	found, _ = p.maybe("兴旺超市", "13800138000")
	require.Equal(t, []device.Alike{own}, found, "what is on the device is told once, with its id")
	found, asked, err := p.MaybeKnown("visit", device.Values{"summary": "x"})
	require.NoError(t, err)
	require.False(t, asked, "nobody looks for duplicates of this kind")
	require.Empty(t, found)
	_, _, err = p.MaybeKnown("account", device.Values{"name": make(chan int)})
	require.Equal(t, "value", errs.CodeOf(err))
}

// The sieve is asked for once an hour, and sent only if it has changed. It
// outlives the app.
func TestKnown_isFetchedSeldom(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := knowing(t, s)
	s.sieve(sieveOf(t, ofOthers), `"1"`)
	require.Empty(t, s.bodies(fingerprints))
	p.sync()
	p.sync()
	require.Len(t, s.bodies(fingerprints), 1)

	p.reopen()
	found, asked := p.maybe("兴旺超市", "13800138000")
	require.True(t, asked)
	require.Len(t, found, 2)
	p.later(time.Hour - time.Millisecond)
	p.sync()
	require.Len(t, s.bodies(fingerprints), 1, "not before the hour is over")
	p.later(time.Millisecond)
	p.sync()
	require.Equal(t, 1, s.unchanged, "the second time nothing was sent")
	found, _ = p.maybe("兴旺超市", "13800138000")
	require.Len(t, found, 2)

	s.sieve(sieveOf(t), `"2"`)
	p.later(time.Hour)
	p.sync()
	require.Equal(t, 1, s.unchanged)
	found, asked = p.maybe("兴旺超市", "13800138000")
	require.True(t, asked)
	require.Empty(t, found)
	p.later(-24 * time.Hour) // the clock was set back
	p.sync()
	require.Len(t, s.bodies(fingerprints), 4)
}

// A sieve that does not come, or is none, keeps nothing away: a sync is whole
// without it, and it is asked for again later.
func TestKnown_doesNotCome(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := knowing(t, s)
	s.sieve("a proxy's page", `"1"`)
	p.sync()
	_, asked := p.maybe("兴旺超市")
	require.False(t, asked)
	s.sieve(sieveOf(t, ofOthers), `"2"`)
	p.sync()
	require.Len(t, s.bodies(fingerprints), 1)
	p.later(10 * time.Minute)
	s.next(fingerprints, problem(http.StatusServiceUnavailable, wire.Problem{Kind: "busy"}))
	p.sync()
	p.later(10 * time.Minute)
	p.sync()
	_, asked = p.maybe("兴旺超市")
	require.True(t, asked)

	keys, rows := p.rows("sieves")
	p.spoil("sieves", keys[0], append([]byte("x"), rows[0]...))
	p.reopen()
	_, asked = p.maybe("兴旺超市")
	require.False(t, asked, "what is damaged is not asked")
	p.sync()
	_, asked = p.maybe("兴旺超市")
	require.True(t, asked, "and fetched again")

	p.later(time.Hour)
	s.next(fingerprints, problem(http.StatusBadRequest, wire.Problem{Kind: "invalid", Code: "unknown_kind"}))
	p.sync()
	_, asked = p.maybe("兴旺超市")
	require.False(t, asked, "who may not see customers any more keeps none of it")
	keys, _ = p.rows("sieves")
	require.Empty(t, keys)
}

// With a signal the server says whether it is so.
func TestCheckKnown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := knowing(t, s)
	s.next("/v1/duplicates/check", answer(map[string]any{"found": []any{
		map[string]any{"certain": true, "fields": []string{"name", "phones"}, "hint": "兴***市"},
		map[string]any{"fields": []string{"phones"}, "hint": "福***店", "id": acme, "record": map[string]any{"kind": "account"}},
	}}))

	found, err := p.CheckKnown(t.Context(), "account", record.NoID, device.Values{"name": "兴旺超市", "phones": []string{"13800138000"}})

	require.NoError(t, err)
	require.Equal(t, []device.Alike{
		{Certain: true, Fields: []string{"name", "phones"}, Hint: "兴***市"}, {Fields: []string{"phones"}, Hint: "福***店", ID: acme},
	}, found)
	require.JSONEq(t, `{"kind":"account","set":{"name":"兴旺超市","phones":["13800138000"]}}`, string(s.bodies("/v1/duplicates/check")[0]))
	p.net.Offline(true)
	_, err = p.CheckKnown(t.Context(), "account", acme, device.Values{"name": "兴旺超市"})
	require.Equal(t, "offline", errs.CodeOf(err))
}

// later lets time pass on the phone.
func (p *phone) later(d time.Duration) { p.clock.Add(d.Milliseconds()) }
