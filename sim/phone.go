package sim

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	device "roadbook/clients/go"
	"roadbook/clients/go/localstore"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// phone is a device in somebody's hand.
type phone struct {
	w     *World
	name  string
	login string
	who   record.ID // the person

	memory *localstore.Memory // what is durable
	store  *mortal
	net    *network
	dev    *device.Device
	skew   time.Duration
	stage  bool
	size   int
	clone  *backup        // of its store
	form   *record.Schema // as its app knows it …
	formOf *byte          // … and the text that it was read from

	known
}

// known is what the oracle remembers of a phone; a backup has it too.
type known struct {
	from   string             // the first month that it wants
	kinds  []string           // that it wants; none are all
	pins   []string           // accounts that it pins, as scripts call them
	filled record.Seq         // the head at which it last had everything
	life   int                // of the server from which it last pulled
	own    map[record.ID]bool // what was typed on it
	id     record.ID          // of the device that it is
	steady bool               // since then it wants the same, and its person may see the same
}

type backup struct {
	memory *localstore.Memory
	known
}

// mortal is a store whose device dies at some write.
type mortal struct {
	*localstore.Memory

	left int // writes until it dies; 0 lives on
	dead bool
}

var errDied = errors.New("the device died before this write")

// Write implements device.Store.
func (m *mortal) Write(batch []localstore.Write) error {
	if m.left > 0 {
		m.left--
		m.dead = m.dead || m.left == 0
	}
	if m.dead {
		return errDied
	}
	return m.Memory.Write(batch)
}

func (w *World) phone(name string) *phone {
	for _, p := range w.phones {
		if p.name == name {
			return p
		}
	}
	return nil
}

// join gives a person a phone and signs him in.
func (w *World) join(s Step) error {
	if w.phone(s.Who) != nil || len(s.Args) != 1 {
		return errPassed
	}
	p := &phone{w: w, name: s.Who, login: s.Args[0], who: w.idOf(s.Args[0]), memory: &localstore.Memory{}}
	p.own = map[record.ID]bool{}
	p.stage, p.size, p.from = s.With["stage"] != "0", s.number("size"), s.With["want"]
	if err := p.setSkew(s.With["skew"]); err != nil {
		return err
	}
	if err := p.open(); err != nil {
		return err
	}
	w.phones = append(w.phones, p)
	if err := p.signIn(); err != nil {
		return err
	}
	return p.wants([]string{p.from})
}

func (p *phone) setSkew(text string) (err error) {
	if text == "" {
		return nil
	}
	p.skew, err = time.ParseDuration(text)
	return err
}

// open opens the device on what is durable.
func (p *phone) open() (err error) {
	p.store = &mortal{Memory: p.memory}
	p.net = &network{p: p}
	p.dev, err = device.Open(device.Config{
		Store: p.store, BaseURL: "http://roadbook", HTTP: &http.Client{Transport: p.net}, NewID: p.w.newID,
		Now: func() time.Time { return p.w.clock.Add(p.skew) }, Kind: "phone", Stage: p.stage, PageBytes: p.size, Lang: "en",
	})
	return err
}

func (p *phone) signIn() error {
	p.net.begin(Step{})
	err := p.dev.SignIn(p.w.ctx, "acme", p.login, "secret")
	if id, known := p.w.devices[p.dev.Status().Install+" "+p.who.String()]; known {
		p.id = id
	}
	return err
}

// wants says from which month on a phone wants things, of which kinds ("all"
// for all), and which accounts it pins.
func (p *phone) wants(args []string) error {
	p.from, p.kinds, p.pins, p.steady = args[0], []string{}, nil, false // an empty list is all
	if len(args) > 1 && args[1] != "all" {
		p.kinds = strings.Split(args[1], ",")
	}
	if len(args) > 2 {
		p.pins = strings.Split(args[2], ",")
	}
	return p.dev.Want(p.want())
}

func (p *phone) want() wire.Want {
	w := wire.Want{From: p.from, Kinds: p.kinds, Pins: []record.ID{}}
	for _, name := range p.pins {
		w.Pins = append(w.Pins, p.w.idOf(name))
	}
	return w
}

// dies opens the device again if the step in hand has killed it.
func (p *phone) revive() error {
	if !p.store.dead {
		p.store.left = 0
		return nil
	}
	p.w.say("      %s's phone dies and is started again", p.name)
	return p.open()
}

// talks has the device do something with the server, on a network as bad as
// the step says.
func (p *phone) talks(s Step, do func() error) error {
	p.net.begin(s)
	p.store.left = s.number("dies")
	err := do()
	again := p.revive()
	switch {
	case again != nil:
		return again
	case err == nil, isOffline(err), errors.Is(err, errDied):
		return nil
	case strings.Contains(err.Error(), "sign in again"), p.w.forgot(err):
		p.w.say("      %s signs in again", p.name)
		return p.signIn()
	}
	p.w.finds("%s's phone does not get on: %v (%s)", p.name, err, errs.CodeOf(err))
	return nil
}

func (p *phone) backUp() {
	p.clone = &backup{p.memory.Clone(), p.known}
	p.clone.own = maps.Clone(p.own)
}

// copied is a phone's backup, to be put back somewhere; it may be put back once
// more.
func (p *phone) copied() (*localstore.Memory, known) {
	k := p.clone.known
	k.own = maps.Clone(k.own)
	return p.clone.memory.Clone(), k
}

// restore puts the backup back onto the phone. What was typed since and is
// nowhere else is gone with the phone.
func (p *phone) restore() error {
	if p.clone == nil {
		return errPassed
	}
	p.memory, p.known = p.copied()
	err := p.open()
	p.w.bury()
	return err
}

// twin puts the backup onto another phone, which goes on beside the first.
func (p *phone) twin(name string) error {
	if p.clone == nil || p.w.phone(name) != nil {
		return errPassed
	}
	t := &phone{w: p.w, name: name, login: p.login, who: p.who, skew: p.skew, stage: p.stage, size: p.size}
	t.memory, t.known = p.copied()
	if err := t.open(); err != nil {
		return err
	}
	p.w.phones = append(p.w.phones, t)
	return nil
}

// wiped gives somebody an empty phone in place of the one that he had. An app
// that is installed anew may find the name of the install where its system
// keeps secrets.
func (p *phone) wiped(keychain bool) error {
	identity := map[string]any{"format": 1, "install": p.dev.Status().Install}
	p.memory = &localstore.Memory{}
	p.known = known{from: p.from, own: map[record.ID]bool{}, life: p.w.life, id: p.id}
	if keychain {
		text := encode(identity)
		if err := p.memory.Write([]localstore.Write{{Table: "meta", Key: []byte("identity"), Value: text}}); err != nil {
			return err
		}
	}
	if err := p.open(); err != nil {
		return err
	}
	p.w.bury()
	if err := p.signIn(); err != nil {
		return err
	}
	return p.wants([]string{p.from})
}
