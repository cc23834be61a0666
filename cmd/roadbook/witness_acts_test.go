package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/anishathalye/porcupine"

	"roadbook/record"
)

// toil goes on until ctx ends.
func (w *witness) toil(ctx context.Context) error {
	for ctx.Err() == nil {
		r := w.dice.IntN(records)
		do := w.read
		switch w.dice.IntN(10) {
		case 0:
			do = w.askDurable
		case 1, 2, 3, 4:
			do = w.write
		}
		if err := do(ctx, r); err != nil {
			return err
		}
		_ = sleepNow(ctx, often)
	}
	return nil
}

// answered is what the records' API says to a change.
type answered struct {
	Outcome record.Outcome `json:"outcome"`
}

// write changes a record, and sends the change again until somebody answers, or
// gives it up after the first time and never learns what became of it. However
// often it is sent it counts once, so all of that is one act; but what was sent
// to a log that is lost is another than what is sent to the one in its place.
func (w *witness) write(ctx context.Context, r int) error {
	w.wrote++
	a := act{record: r, what: "write", value: fmt.Sprintf("%d.%d", w.no, w.wrote)}
	body := fmt.Appendf(nil, `{"seen":{"log":"%d"},"set":{"title":%q}}`, w.seen[r], a.value)
	key, patient := newID(), w.dice.IntN(8) > 0
	var silent []porcupine.Operation // of each life of the log, what had no answer there
	for life := -1; ; {
		call, is := w.begin()
		if is != life {
			life = is
			silent = append(silent, porcupine.Operation{ClientId: w.no, Input: a, Call: call, Return: never})
		}
		var told answered
		status, err := w.ask(ctx, "/v1/records/task/"+w.all.ids[r].String(), key, body, &told)
		ret, ends := w.end()
		if ends != life { // the server may have done it in both
			life = ends
			silent = append(silent, porcupine.Operation{ClientId: w.no, Input: a, Call: call, Return: never})
		}
		if err == nil && status == http.StatusOK {
			w.seen[r] = max(w.seen[r], told.Outcome.Seq)
			w.all.note(a.answered(told.Outcome, silent, ret)...)
			return nil
		}
		if refused(status) {
			return fmt.Errorf("a change was refused with %d", status)
		}
		if _ = sleepNow(ctx, often); !patient || ctx.Err() != nil {
			w.all.note(silent...)
			return nil //nolint:nilerr // that it was not heard is what is noted
		}
	}
}

// answered is the act with its answer. What had none before can have done
// nothing later than that.
func (a act) answered(o record.Outcome, silent []porcupine.Operation, ret int64) []porcupine.Operation {
	last := len(silent) - 1
	a.seq, a.answer, a.again = o.Seq, true, o.Repeated && last > 0
	a.lost = slices.ContainsFunc(o.Clashes, func(c record.Clash) bool { return string(c.Lost) == fmt.Sprintf("%q", a.value) })
	for i := range silent {
		silent[i].Return = ret
	}
	silent[last].Input = a
	return silent
}

// refused reports whether a client has heard what it should not: nothing that
// passes, and nothing that a restored server says of what it has lost.
func refused(status int) bool {
	return status >= http.StatusBadRequest && status < http.StatusInternalServerError && status != http.StatusTooManyRequests
}

// read reads a record; a question without an answer tells nothing.
func (w *witness) read(ctx context.Context, r int) error {
	call, _ := w.begin()
	var is struct {
		Seq record.Seq        `json:"seq"`
		Set map[string]string `json:"set"`
	}
	status, err := w.ask(ctx, "/v1/records/task/"+w.all.ids[r].String(), newID(), nil, &is)
	ret, _ := w.end()
	if err != nil || status != http.StatusOK {
		if refused(status) {
			return fmt.Errorf("a record was answered with %d", status)
		}
		return nil
	}
	w.seen[r] = max(w.seen[r], is.Seq)
	w.all.note(porcupine.Operation{
		ClientId: w.no, Call: call, Return: ret,
		Input: act{record: r, what: "read", value: is.Set["title"], seq: is.Seq, answer: true},
	})
	return nil
}

// askDurable asks up to where the log is on a second machine, as an answer to a
// push of nothing says.
func (w *witness) askDurable(ctx context.Context, _ int) error {
	_, life := w.begin()
	var told struct {
		Durable struct {
			Seq record.Seq `json:"seq"`
		} `json:"durable"`
	}
	status, err := w.ask(ctx, "/v1/sync/push", newID(), fmt.Appendf(nil, `{"replica":%q,"prev":"","mutations":[]}`, w.replica), &told)
	w.end()
	if err == nil && status != http.StatusOK && refused(status) {
		return fmt.Errorf("a push of nothing was answered with %d", status)
	}
	w.all.mu.Lock()
	defer w.all.mu.Unlock()
	if err == nil && life == w.all.life {
		w.all.durable = max(w.all.durable, told.Durable.Seq)
	}
	return nil
}
