package sim

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Failure is a history that went wrong.
type Failure struct {
	Script Script // as short as it could be made
	Whole  int    // steps before that
	Err    error  // what must not be
	Story  string // what came of each step
}

func (f *Failure) Error() string {
	return fmt.Sprintf("seed %d: %v\n\nThe script, %d steps of %d:\n%s\nWhat happened:\n%s",
		f.Script.Seed, f.Err, len(f.Script.Steps), f.Whole, f.Script, f.Story)
}

// Runner plays histories in one database, each in an org of its own.
type Runner struct {
	Config

	Tries int  // of cutting a failed history shorter; 0 leaves it as it is
	Alike bool // seeds give histories in which many customers are the same

	orgs int
}

// Play plays a script and judges it. It is nil if all was well.
func (r *Runner) Play(ctx context.Context, s Script) *Failure {
	if f := r.once(ctx, s); f != nil {
		return r.shorter(ctx, f)
	}
	return nil
}

// Seed plays the history of a seed.
func (r *Runner) Seed(ctx context.Context, seed uint64, steps int) (Script, *Failure) {
	s, g := generate(seed)
	s.Alike = r.Alike
	w, err := r.world(ctx, s)
	if err != nil {
		return s, &Failure{Script: s, Err: err}
	}
	defer w.Close()
	g.w = w
	do := func(step Step) bool {
		err = w.Do(step)
		return err == nil
	}
	ok := true
	for i := 0; ok && i < len(s.Steps); i++ {
		ok = do(s.Steps[i])
	}
	for i := 0; ok && i < steps; i++ {
		step := g.next()
		s.Steps = append(s.Steps, step)
		ok = do(step)
	}
	if ok {
		err = w.Finish()
	}
	if err == nil {
		return s, nil
	}
	return s, r.shorter(ctx, &Failure{Script: s, Whole: len(s.Steps), Err: err, Story: w.Story()})
}

func (r *Runner) world(ctx context.Context, s Script) (*World, error) {
	r.orgs++
	c := r.Config
	c.Org += " " + strconv.FormatUint(s.Seed, 10) + " " + strconv.Itoa(r.orgs)
	return New(ctx, c, s)
}

func (r *Runner) once(ctx context.Context, s Script) *Failure {
	w, err := r.world(ctx, s)
	if err != nil {
		return &Failure{Script: s, Err: err}
	}
	defer w.Close()
	for _, step := range s.Steps {
		if err = w.Do(step); err != nil {
			break
		}
	}
	if err == nil {
		err = w.Finish()
	}
	if err == nil {
		return nil
	}
	return &Failure{Script: s, Whole: len(s.Steps), Err: err, Story: w.Story()}
}

// shorter takes steps out for as long as something still goes wrong in the
// same way: halves, then quarters, down to single steps (Zeller and
// Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002).
func (r *Runner) shorter(ctx context.Context, f *Failure) *Failure {
	best, tries := f, r.Tries
	if f.Script.Strict {
		return f // it says what must be, step by step
	}
	for size := len(best.Script.Steps) / 2; size >= 1 && tries > 0; {
		cut := false
		for at := 0; at < len(best.Script.Steps) && tries > 0 && ctx.Err() == nil; {
			tries--
			s := best.Script
			s.Steps = append(s.Steps[:at:at], s.Steps[min(at+size, len(s.Steps)):]...)
			if again := r.once(ctx, s); again != nil && way(again.Err) == way(f.Err) {
				again.Whole = f.Whole
				best, cut = again, true
				continue
			}
			at += size
		}
		if !cut || size > 1 {
			size /= 2
		}
	}
	return best
}

// way is in which way something went wrong: its sentence without names and
// numbers.
func way(err error) string {
	var words []string
	for _, word := range strings.Fields(err.Error()) {
		if len(words) == 6 {
			break
		}
		if !strings.ContainsAny(word, "0123456789-") {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}
