package sim

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"strconv"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// The server's worst days: its database comes back at an earlier point, by the
// command that begins a new epoch, or with nobody saying so.

// rewinds puts the newest backup back, the one before that, and so on. What
// only the office knew is lost; what a phone still has must come back. A backup
// that is newer may be put back later, although its life was given up.
func (w *World) rewinds(s Step) error {
	back, err := strconv.Atoi(s.Args[0])
	if err != nil {
		return err
	}
	if back < 1 || back > len(w.saved) {
		return errPassed
	}
	b := w.saved[len(w.saved)-back]
	for i, e := range w.engines {
		e.Close()
		w.engines[i] = nil
	}
	if err := b.rows.restore(w.ctx, w.pool, w.org); err != nil {
		return err
	}
	w.schema, w.devices = b.schema, maps.Clone(b.devices)
	w.clock = w.clock.Add(restoring)
	w.life++
	w.log = b.log.branches(w.life, b.head)
	for i := range w.engines {
		w.restart(i)
	}
	if s.With["silent"] == "" {
		if _, err := w.engines[0].NewEpoch(w.ctx, w.org, "a script restores it"); err != nil {
			return err
		}
	}
	w.tables, w.replay = nil, newReplay(w)
	if err := w.replay.follow(); err != nil {
		return err
	}
	for _, p := range w.phones {
		p.steady = false
		if p.clone != nil {
			p.clone.steady = false
			w.loosen(p.clone.memory)
		}
		w.loosen(p.memory)
	}
	w.bury()
	return nil
}

// expires refuses what has been parked for too long.
func (w *World) expires() error {
	for more := true; more; {
		var err error
		if more, err = w.engines[0].Expire(w.ctx, w.org); err != nil {
			return err
		}
	}
	return nil
}

// stored is what a phone's store has of a mutation.
type stored struct {
	Mutation record.Mutation
	Verdict  *struct{}
}

func each(m interface {
	Load(table string, each func(key, value []byte) error) error
}, do func(e *stored),
) error {
	return m.Load("entries", func(_, value []byte) error {
		e := &stored{}
		if err := json.Unmarshal(value, e); err != nil {
			return err
		}
		do(e)
		return nil
	})
}

// bury excuses what is nowhere any more: not in the log, and on no phone.
func (w *World) bury() {
	kept := map[record.ID]bool{}
	for _, p := range w.phones {
		w.fails(each(p.memory, func(e *stored) { kept[e.Mutation.ID] = true }))
	}
	for id, t := range w.typed {
		if !kept[id] && w.replay.judged[id] == 0 {
			t.excused = true
		}
	}
}

// asked looks at what a phone gives back.
func (w *World) asked(path string, body []byte) {
	if w.life == 0 || path != "/v1/sync/push" {
		return
	}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return
		}
		if body, err = io.ReadAll(z); err != nil {
			return
		}
	}
	var p struct {
		Mutations []struct {
			ID    record.ID
			Again *struct {
				Receipt string
				Result  record.Result
			}
		}
	}
	w.fails(json.Unmarshal(body, &p))
	w.proven = map[record.ID]record.Result{}
	for _, m := range p.Mutations {
		if m.Again != nil && m.Again.Receipt != "" {
			w.proven[m.ID] = m.Again.Result
			if m.Again.Result == "" {
				w.proven[m.ID] = record.Applied
			}
		}
	}
}

// kept makes sure that what was acknowledged is not refused because a server
// has lost it, and that what was refused is. It may be refused after it has waited
// for thirty days (replay.waits): in the log that was put back its author had left,
// say, and nobody has brought him back.
func (w *World) kept(t *typing, o *record.Outcome) {
	if w.life > 0 && o.Refusal != nil && o.Refusal.Code == "seen" {
		w.finds("%s had seen what the log has lost, and is refused for it", t)
	}
	if o.Repeated || o.Refusal != nil && o.Refusal.Code == "parked" {
		return
	}
	switch was := w.proven[o.ID]; {
	case was == record.Applied && o.Result == record.Refused:
		w.finds("what was acknowledged is refused after a restore: %s%s", t, refusalWords(o.Refusal))
	case was == record.Refused && o.Result != record.Refused:
		w.finds("what was refused is %s after a restore: %s", o.Result, t)
	}
}

// name is a replica and n: what one copy of a phone wrote under it in a log that
// is lost, another copy may write under it again.
type name struct {
	replica record.ReplicaID
	n       uint64
}

type called struct {
	id    record.ID
	twice bool
}

func (d dot) name() name { return name{d.replica, d.n} }

func (w *World) calls(as name, id record.ID) {
	was, known := w.called[as]
	w.called[as] = called{id, was.twice || known && was.id != id}
}

// isLost is an answer of a server that was restored to a phone that it does not
// know, or not under this name.
func (w *World) isLost(status int, t *told) bool {
	return w.life > 0 && (status == 401 || status == 403 && t.Code == "replica")
}

// forgets reports whether a phone must sign in again because the server has
// lost that it did.
func (w *World) forgot(err error) bool { return w.life > 0 && errs.KindOf(err) == errs.Anonymous }

// device is what an install is called when somebody signs in on it.
func (w *World) deviceFor(info wire.DeviceInfo, person record.ID) record.ID {
	key := info.Install + " " + person.String()
	if id, known := w.devices[key]; known {
		return id
	}
	reason := "device " + key
	if w.life > 0 {
		reason += " " + strconv.Itoa(w.life)
	}
	w.devices[key] = w.derive(reason)
	return w.devices[key]
}

func (w *World) knows(device, person record.ID) bool {
	for key, id := range w.devices {
		if id == device && key[len(key)-len(person.String()):] == person.String() {
			return true
		}
	}
	return false
}
