package device_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/clients/go/localstore"
	"roadbook/record"
)

// rows are those of a table, as they lie there.
func (p *phone) rows(table string) (keys, values [][]byte) {
	p.t.Helper()
	require.NoError(p.t, p.store.Load(table, func(key, value []byte) error {
		keys, values = append(keys, bytes.Clone(key)), append(values, bytes.Clone(value))
		return nil
	}))
	return keys, values
}

// spoil lets a row of the store be something else, or not be, when it is opened
// again.
func (p *phone) spoil(table string, key, value []byte) {
	p.t.Helper()
	require.NoError(p.t, p.store.Memory.Write([]localstore.Write{{Table: table, Key: key, Value: value}}))
	p.reopen()
}

// Whatever happens to a row of what was pulled, it is noticed, not shown, and
// the device compares before it goes on.
func TestDamage_base(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		spoil func(p *phone, key, value []byte)
		shown []record.ID
	}{
		{"a bit", func(p *phone, key, value []byte) {
			value[bytes.Index(value, []byte("Acme"))] ^= 1
			p.spoil("base.a", key, value)
		}, []record.ID{bolt}},
		{"half a row", func(p *phone, key, value []byte) { p.spoil("base.a", key, value[:len(value)/2]) }, []record.ID{bolt}},
		{"no row", func(p *phone, key, _ []byte) { p.spoil("base.a", key, nil) }, []record.ID{bolt}},
		{"a row as it was before", func(p *phone, key, value []byte) {
			p.server.next("/v1/sync/pull", answer(page("c2", part(acme, 9, "name", "New"))))
			p.pull()
			p.spoil("base.a", key, value)
		}, []record.ID{acme, bolt}},
		{"a row of nothing", func(p *phone, _, value []byte) { p.spoil("base.a", []byte("no id"), value) }, []record.ID{acme, bolt}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			p := signedIn(t, s)
			p.give(s, page("c1", full(acme, 7, "name", "Acme"), full(bolt, 8, "name", "Bolt")))
			p.reopen()
			require.Zero(t, p.Status().Damaged)
			keys, values := p.rows("base.a")

			tt.spoil(p, keys[0], values[0])

			require.Equal(t, 1, p.Status().Damaged)
			for _, id := range []record.ID{acme, bolt} {
				_, there := p.Get(id)
				require.Equal(t, there, bytes.Contains(bytes.Join(ids(tt.shown), nil), id[:]))
			}
			p.reopen()
			s.next("/v1/sync/check", answer(page("c8")))
			s.next("/v1/sync/pull", answer(page("c9")))
			p.pull()
			require.Equal(t, "c8", s.pulls()[len(s.pulls())-1].Cursor, "it has compared")
			p.reopen()
			require.Zero(t, p.Status().Damaged)
		})
	}
}

func ids(of []record.ID) (all [][]byte) {
	for _, id := range of {
		all = append(all, id[:])
	}
	return all
}

// Each bit of a row counts.
func TestDamage_everyBit(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "兴旺")))
	keys, values := p.rows("base.a")

	for bit := range len(values[0]) * 8 {
		value := bytes.Clone(values[0])
		value[bit/8] ^= 1 << (bit % 8)
		twin := p.twin()
		twin.spoil("base.a", keys[0], value)
		require.Equal(t, 1, twin.Status().Damaged, "bit %d: %q", bit, value)
	}
}

// A pull that was cut begins again if any of its pages is damaged.
func TestDamage_pages(t *testing.T) {
	t.Parallel()
	for _, lost := range []bool{true, false} {
		s := newServer(t)
		p := signedIn(t, s)
		p.give(s, page("c1"))
		s.next("/v1/sync/pull", answer(unfinished("c2", full(acme, 7, "name", "Acme"))), answer(unfinished("c3", full(bolt, 8, "name", "Bolt"))), answer("cut"))
		_, err := p.Pull(t.Context())
		require.Error(t, err)
		keys, values := p.rows("pages")
		require.Len(t, keys, 2)
		values[0][9] ^= 1
		if lost {
			values[0] = nil
		}

		p.spoil("pages", keys[0], values[0])

		require.Zero(t, p.Status().Staged)
		p.give(s, page("c4"))
		require.Equal(t, "c1", s.pulls()[len(s.pulls())-1].Cursor)
		keys, _ = p.rows("pages")
		require.Empty(t, keys)
	}
}

// What an app of before has kept has no sums, and is believed.
func TestDamage_before(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := signedIn(t, s)
	p.give(s, page("c1", full(acme, 7, "name", "Acme")))
	keys, values := p.rows("base.a")
	_, metas := p.rows("meta")
	for _, value := range metas {
		if at := bytes.Index(value, []byte(`,"held":`)); at > 0 {
			end := at + bytes.IndexByte(value[at:], '}') + 1
			require.NoError(t, p.store.Memory.Write([]localstore.Write{
				{Table: "meta", Key: []byte("sight"), Value: append(bytes.Clone(value[:at]), value[end:]...)},
			}))
		}
	}

	p.spoil("base.a", keys[0], values[0][:len(values[0])-9])

	require.Zero(t, p.Status().Damaged)
	require.Equal(t, "Acme", p.text(acme, "name"))
	require.Empty(t, s.bodies("/v1/sync/check"))
	keys, metas = p.rows("meta")
	for i, key := range keys {
		if string(key) == "identity" {
			require.NoError(t, p.store.Memory.Write([]localstore.Write{
				{Table: "meta", Key: key, Value: bytes.Replace(metas[i], []byte(`"format":2`), []byte(`"format":1`), 1)},
			}))
		}
	}
	p.reopen()
	_, metas = p.rows("meta")
	require.Contains(t, string(bytes.Join(metas, nil)), `"format":2`, "an app of before leaves it alone from now on")
}
