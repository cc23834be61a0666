package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync"
	"roadbook/version"
)

// does does the step in hand; done means that somebody knows how.
func (w *World) does(s Step) (done bool, err error) {
	switch s.Who {
	case "time":
		d, err := time.ParseDuration(s.Does)
		w.fails(w.replay.follow()) // what was committed until now, by the clock of now
		w.clock = w.clock.Add(d)
		w.say("%s", s)
		return true, err
	case "office":
		return w.office(s)
	}
	if s.Does == "joins" {
		w.say("%s", s)
		return true, w.join(s)
	}
	p := w.phone(s.Who)
	if p == nil {
		return true, errPassed
	}
	return p.does(s)
}

func (p *phone) does(s Step) (done bool, err error) {
	w := p.w
	quick := map[string]func() error{
		"types":  func() error { return p.types(s) },
		"sees":   func() error { return p.sees(s) },
		"hears":  func() error { return p.hears(s) },
		"again":  func() error { return w.again(s) },
		"clock":  func() error { return p.setSkew(s.Args[0]) },
		"wants":  func() error { return p.narrows(s.Args) },
		"pins":   func() error { return p.holds(s.Args) },
		"backup": func() error { p.backUp(); return nil },
		"twin":   func() error { return p.twin(s.Args[0]) },
	}
	if isPromise(s.Does) {
		return true, p.promises(s)
	}
	if do := quick[s.Does]; do != nil {
		if err := do(); err != nil {
			return true, err
		}
		if s.Does != "types" {
			w.say("%s", s)
		}
		return true, nil
	}
	w.say("%s", s)
	switch s.Does {
	case "pushes":
		return true, p.talks(s, func() error { _, err := p.dev.Push(w.ctx); return err })
	case "pulls":
		return true, p.pulls(s)
	case "checks":
		return true, p.checks(s)
	case "restarts":
		if size := s.number("size"); size > 0 {
			p.size = size
		}
		return true, p.open()
	case "spoils":
		return true, p.spoils(s)
	case "restore":
		return true, p.restore()
	case "wiped":
		return true, p.wiped(false)
	case "reinstalls":
		return true, p.wiped(true)
	}
	return false, nil
}

// fetches has a phone pull or compare, and says whether it came to the end of it,
// and whether it came any further.
func (p *phone) fetches(s Step, do func(context.Context) (device.Report, error)) (whole, moved bool, err error) {
	before := p.dev.Status().Cursor
	err = p.talks(s, func() error {
		_, err := do(p.w.ctx)
		whole = err == nil
		return err
	})
	if err != nil {
		return false, false, err
	}
	if moved = p.dev.Status().Cursor != before; moved {
		p.life = p.w.life
	}
	return whole, moved, nil
}

func (p *phone) pulls(s Step) error {
	whole, moved, err := p.fetches(s, p.dev.Pull)
	if err != nil {
		return err
	}
	if faults := p.dev.Status().Faults; faults > 0 {
		p.w.finds("%s was sent %d parts of records that it does not hold", p.name, faults)
	}
	switch {
	case whole:
		p.w.checkWhole(p)
	case p.net.whole && !p.store.dead && moved:
		p.w.checkFilling(p)
	}
	return nil
}

// holds has a phone pin some accounts, and no others.
func (p *phone) holds(accounts []string) error {
	kinds := "all"
	if len(p.kinds) > 0 {
		kinds = strings.Join(p.kinds, ",")
	}
	args := []string{p.from, kinds}
	if len(accounts) > 0 {
		args = append(args, strings.Join(accounts, ","))
	}
	return p.narrows(args)
}

func (p *phone) narrows(args []string) error {
	if st := p.dev.Status(); st.Staged > 0 || st.Cursor == "" {
		return errPassed
	}
	return p.wants(args)
}

// types has somebody type one mutation.
func (p *phone) types(s Step) error {
	w := p.w
	all, err := w.wishes(s.Args)
	if err != nil {
		return err
	}
	if !p.hasForms(all) {
		return errPassed
	}
	before := map[record.ID]device.View{}
	for _, e := range all {
		before[e.id], _ = p.dev.Get(e.id)
	}
	p.store.left = s.number("dies")
	id, err := p.dev.Mutate(func(t *device.Typing) error {
		for i := range all {
			all[i].typed(t)
		}
		return nil
	})
	if p.store.dead {
		w.say("%s: the phone dies before it is kept", s)
		return p.revive()
	}
	if err := p.revive(); err != nil {
		return err
	}
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Missing, errs.Clash:
		return fmt.Errorf("%w: %w", errPassed, err)
	}
	if err != nil {
		return err
	}
	outbox := p.dev.Outbox()
	m := outbox[len(outbox)-1]
	if m.ID != id {
		w.finds("what %s typed is not the last of the outbox", p.name)
	}
	w.noteTyping(p, &m, before)
	w.say("%s      [n %d, %s]", s, m.N, seenWords(m.Edits))
	return nil
}

// hasForms reports whether the phone's app can let its person type all this: it
// has no form for what its schema does not have, and takes new forms when what
// belongs into them has come, or somebody could write over what he cannot see.
func (p *phone) hasForms(all []wish) bool {
	raw := p.dev.Schema()
	if len(raw) == 0 {
		return false
	}
	if p.form == nil || p.formOf != &raw[0] && !p.dev.Status().Filling {
		p.form, p.formOf = &record.Schema{}, &raw[0]
		err := json.Unmarshal(raw, p.form)
		for i, k := range p.form.Kinds {
			k.No = int16(i + 1) // a device is not told numbers, and needs none
		}
		if err != nil || p.form.Check() != nil {
			p.w.finds("%s was sent a schema that it cannot read", p.name)
			return false
		}
	}
	for _, e := range all {
		kind := p.form.Kind(e.kind.Name)
		for _, part := range e.parts {
			if kind != nil && kind.Field(part.field) == nil {
				return false
			}
		}
		if kind == nil {
			return false
		}
	}
	return true
}

func seenWords(edits []record.Edit) string {
	var out []string
	for _, e := range edits {
		out = append(out, "seen "+strconv.FormatInt(e.Seen.Seq(), 10))
	}
	return strings.Join(out, ", ")
}

// again delivers what an earlier step kept back.
func (w *World) again(s Step) error {
	no, err := strconv.Atoi(s.Args[0])
	if err != nil {
		return err
	}
	l := w.late[no]
	if l == nil {
		return errPassed
	}
	delete(w.late, no)
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, "http://roadbook"+l.path, bytes.NewReader(l.body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", l.token)
	if bytes.HasPrefix(l.body, []byte{0x1f, 0x8b}) {
		req.Header.Set("Content-Encoding", "gzip")
	}
	w.heard(l.who, l.path, w.serve(s, req, l.body))
	return nil
}

// office is what the server itself does, and who runs it.
func (w *World) office(s Step) (done bool, err error) {
	engine := w.engines[(max(s.number("via"), 1)-1)%len(w.engines)]
	switch s.Does {
	case "types":
		return true, w.commits(engine, s)
	case "moves":
		more, err := engine.RescopeChunk(w.ctx, w.org)
		if more {
			w.say("%s: a chunk of a subtree", s)
		}
		return true, err
	case "publishes":
		w.say("%s", s)
		return true, w.publishes(engine, s.Args)
	case "saves":
		w.say("%s", s)
		return true, w.saves()
	case "rewinds":
		w.say("%s", s)
		return true, w.rewinds(s)
	case "expires":
		w.say("%s", s)
		return true, w.expires()
	case "purges":
		w.say("%s", s)
		return true, w.purges(engine, s.Args[0])
	case "restarts":
		w.say("%s", s)
		w.restart(max(s.number("via"), 1) - 1)
		return true, nil
	case "sweeps":
		w.say("%s", s)
		for _, e := range w.engines {
			if err := e.Sweep(w.ctx, w.org); err != nil {
				return true, err
			}
		}
		return true, nil
	}
	return false, nil
}

// publishes puts a schema into force in which reps do not see some fields.
func (w *World) publishes(engine *sync.Engine, hidden []string) error {
	schema, err := schemaOf(w.deletes, hidden)
	if err != nil {
		return err
	}
	w.schema = schema
	for _, p := range w.phones {
		p.steady = false
	}
	return engine.Publish(w.ctx, w.org, schema)
}

// commits has the server write what a step says, with everything seen.
func (w *World) commits(engine *sync.Engine, s Step) error {
	all, err := w.wishes(s.Args)
	if err != nil {
		return err
	}
	t, err := w.read()
	if err != nil {
		return err
	}
	m := record.Mutation{ID: w.newID(), Stamp: version.StampAt(w.clock)}
	for i := range all {
		e := all[i].edit()
		if e.Op != record.OpCreate {
			if t.records[e.ID] == nil {
				return errPassed
			}
			e.Seen = version.Vector{version.Log: uint64(t.head)}
		}
		m.Edits = append(m.Edits, e)
	}
	w.noteOffice(&m, t)
	out, err := engine.Commit(w.ctx, w.org, []sync.Proposal{{Mutation: m}})
	if err != nil {
		return err
	}
	w.say("%s: %s at %d%s", s, out[0].Result, out[0].Seq, refusalWords(out[0].Refusal))
	w.judged(&out[0])
	return nil
}

func refusalWords(r *record.Refusal) string {
	if r == nil {
		return ""
	}
	return " (" + r.Code + ")"
}
