// Package day is a day of a field sales team as one can read it: two reps work
// without a network from morning to evening, the office works online on the
// same customers, and in the evening a bad network carries everything
// together. It runs against a server that somebody else has started, over
// HTTP, and says of everything that must come out whether it did.
//
// The steps are those of the scenario that the product is measured by, under
// their numbers there. It may run as often as one likes on the same server:
// what it makes is new in every run, and what it needs in a certain state it
// puts into that state first.
package day

import (
	"context"
	"io"
	"os/exec"
	"strconv"
	"time"

	"roadbook/demo"
	"roadbook/errs"
	"roadbook/record"
)

// Config is what a day is made of. Everything up to Dir is required.
type Config struct {
	BaseURL string    // of the server, without /v1
	Out     io.Writer // what people read
	Now     func() time.Time
	NewID   func() record.ID
	Sleep   func(ctx context.Context, d time.Duration) error
	// Typist makes this program run Type with these arguments, as a process of
	// its own: the day kills it.
	Typist func(ctx context.Context, args ...string) *exec.Cmd
	Dir    string // an empty folder for the stores of the phones

	Seed   uint64 // of the bad network and of the instants at which the app dies
	Lang   Lang
	Colour bool
	Fast   bool // the network is as bad, but fifty times quicker
	Copies bool // work on copies of customer K and opportunity O, because another day is using them
}

// Lang is the language of the telling.
type Lang string

// The languages there are.
const (
	Chinese Lang = "zh"
	English Lang = "en"
)

// NoDemo is the code of the error that there is no demo org.
const NoDemo = "demo"

// day is one run.
type day struct {
	Config
	*telling

	mark   string // of this run; it is in everything that the run makes
	date   string // today by the org's calendar
	copies bool   // K and O are copies

	lin, zhou, he, chen, admin *phone

	k, o   record.ID // the customer and the opportunity that two people change at once
	shop   shop      // lin's new customer
	twin   shop      // zhou's, of the same name
	edits  edits     // what lin typed, by what it was about
	visits []visit   // the fifty
	wrong  record.ID // the mutation that the server must refuse
	asked  asked     // what Chen approves on a train
}

// edits are mutations of lin of whose fate the day speaks later.
type edits struct{ k, o, names record.ID }

// step is a part of the day.
type step struct {
	no  string // in the scenario
	at  string // o'clock
	who said
	do  func(d *day, ctx context.Context) error
}

// steps are the day. Each prints what happens and checks what must come of it.
var steps = []step{
	{"", "07:30", said{"He Jing, Chen", "何静 陈建国"}, (*day).office},
	{"1", "07:40", said{"Lin", "林晓"}, (*day).firstSync},
	{"2", "07:55", said{"Lin", "林晓"}, (*day).dark},
	{"5", "09:00", said{"Lin", "林晓"}, (*day).newCustomer},
	{"7", "10:30", said{"Lin, He Jing", "林晓 何静"}, (*day).sameCustomer},
	{"8", "11:00", said{"Lin, Chen", "林晓 陈建国"}, (*day).sameDeal},
	{"15", "11:30", said{"Lin, He Jing", "林晓 何静"}, (*day).sameFields},
	{"9", "12:00", said{"Zhou Min", "周敏"}, (*day).sameName},
	{"10", "13:00", said{"Lin", "林晓"}, (*day).killed},
	{"F07", "14:00", said{"Lin", "林晓"}, (*day).fifty},
	{"21", "17:30", said{"Lin", "林晓"}, (*day).broken},
	{"14", "18:20", said{"Lin, Zhou", "林晓 周敏"}, (*day).firstSignal},
	{"21", "18:30", said{"Lin", "林晓"}, (*day).refused},
	{"15", "18:40", said{"everybody", "大家"}, (*day).merged},
	{"15", "18:45", said{"Lin", "林晓"}, (*day).inbox},
	{"F07", "18:50", said{"Chen", "陈建国"}, (*day).arrived},
	{"9", "19:10", said{"Zhou Min", "周敏"}, (*day).twoAgain},
	{"end", "19:30", said{"everybody", "大家"}, (*day).equal},

	{"M1", "19:40", said{"Admin", "管理员"}, (*day).publish},
	{"M1", "19:45", said{"Lin", "林晓"}, (*day).submit},
	{"M3", "19:50", said{"Chen, Lin", "陈建国 林晓"}, (*day).train},
	{"M5", "20:00", said{"Chen", "陈建国"}, (*day).tunnel},
	{"M11", "20:05", said{"Chen", "陈建国"}, (*day).cycled},
}

// Run lets the day pass and says how many of its checks failed. An error means
// that it could not be told to its end.
func Run(ctx context.Context, c Config) (failed int, err error) {
	d := &day{
		Config: c, copies: c.Copies, telling: &telling{out: c.Out, lang: c.Lang, colour: c.Colour},
		mark: markOf(c.NewID()), date: demo.Midnight(c.Now()).Format(time.DateOnly),
	}
	defer d.close()
	if err := d.open(); err != nil {
		return 0, err
	}
	d.title("A day in the field", "外勤的一天", c.BaseURL+" · "+d.mark+" · seed "+strconv.FormatUint(c.Seed, 10))
	began := c.Now()
	for i, s := range steps {
		d.begin(s)
		if err := s.do(d, ctx); err != nil {
			if i == 0 || ctx.Err() != nil {
				return 0, err
			}
			d.check(false, "the day could be told to its end", "这一天没有中断", err.Error())
			break
		}
	}
	return d.table(c.Now().Sub(began)), nil
}

// open makes the phones. The reps' survive the app; those of the office are
// for a day.
func (d *day) open() (err error) {
	for _, p := range []struct {
		is     **phone
		login  string
		stored bool
	}{{&d.admin, "admin", false}, {&d.he, "he", false}, {&d.chen, "chen", false}, {&d.lin, "lin", true}, {&d.zhou, "zhou", true}} {
		if *p.is, err = d.newPhone(p.login, p.stored); err != nil {
			return err
		}
	}
	return nil
}

func (d *day) close() {
	for _, p := range []*phone{d.admin, d.he, d.chen, d.lin, d.zhou} {
		if p != nil {
			_ = p.Close()
		}
	}
}

// signIn signs somebody in and fetches everything for the first time.
func (d *day) signIn(ctx context.Context, p *phone) error {
	if err := p.SignIn(ctx, demo.Name, p.login, demo.Password); err != nil {
		if errs.KindOf(err) == errs.Anonymous {
			none := errs.New("day.Run", errs.Missing, "the server at %s has no demo org", d.BaseURL)
			return none.Coded(NoDemo).Because(err)
		}
		return err
	}
	return p.talk(ctx)
}

// sleep waits, for a fiftieth when it is to be fast.
func (d *day) sleep(ctx context.Context, wait time.Duration) error {
	if d.Fast {
		wait /= 50
	}
	return d.Sleep(ctx, wait)
}

// markOf is four letters and digits that are hard to mistake for one another.
func markOf(id record.ID) string {
	const alphabet = "23456789abcdefghjkmnpqrstuvwxyz_"
	var mark [4]byte
	for i := range mark {
		mark[i] = alphabet[id[len(id)-1-i]&31]
	}
	return string(mark[:])
}
