package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"roadbook/backup"
	"roadbook/drill"
	"roadbook/errs"
)

const drillHelp = `
It restores the newest backup into a folder of its own and serves it on an
address that nobody knows. There it makes an org with two people and three
devices, which work. A backup of that is taken, the devices work on, and then
that server is lost: a second one is restored from before, the devices find out
and give back what they have in their journals. All records of all orgs of the
two are compared, one by one.

The server that runs is only read: up to where the backup goes, its logs must be
the same, hash by hash. It needs room for the database three times. The exit code
is not 0 if anything differs; the folder is removed in any case.

The installation's key is needed, as for a restore.`

// errDiffers says that a drill has failed, and that it has been said of what.
var errDiffers = errors.New("not everything is as it was: see the lines that begin with “differs”")

// rehearsing is a drill in hand.
type rehearsing struct {
	*copier
	id, identity string
	folder       string // of all that it makes
	differs      int
	crew         *drill.Crew
	key          []byte
	down         time.Duration // how long nobody would have been served
}

func runDrill(ctx context.Context, c *console, args []string) error {
	set := c.flags("drill", drillHelp)
	from := set.String("from", "", "the backup folder, in place of ROADBOOK_BACKUP_DIR")
	id := set.String("backup", "", "which backup; the newest unless said")
	identity := set.String("identity", "", "the file with the age identity that opens encrypted backups")
	in := set.String("in", os.TempDir(), "where the drill makes its folder")
	rounds := set.Int("rounds", 10, "how much each device does that the backup lacks, from 1 to 1000")
	lose := set.Int("lose", 0, "to see a drill fail: this device, 1 to 3, loses its journal with the server")
	keep := set.Bool("keep", false, "leave the folder, and say where it is")
	if err := c.parse(set, args); err != nil {
		return err
	}
	if *rounds < 1 || *rounds > 1000 || *lose < 0 || *lose > 3 {
		return errors.New("--rounds must be from 1 to 1000, and --lose from 1 to 3")
	}
	r, err := c.copier(*from)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp(*in, "roadbook-drill-")
	if err != nil {
		return errs.New("roadbook.drill", errs.Invalid, "no folder can be made in %s: name another with --in", *in).Because(err)
	}
	if err := os.Chmod(folder, 0o711); err != nil { //nolint:gosec // PostgreSQL's user must pass through
		return err
	}
	d := &rehearsing{copier: r, id: *id, identity: *identity, folder: folder, crew: &drill.Crew{Config: drill.Config{
		Dir: filepath.Join(folder, "devices"), Now: now, NewID: newID, Sleep: sleep, Rounds: *rounds, Lost: *lose,
	}}}
	if err = d.run(ctx); err == nil && d.differs > 0 {
		err = errDiffers
	}
	if *keep {
		c.say("kept      %s", folder)
		return err
	}
	if removed := os.RemoveAll(folder); removed != nil {
		return errors.Join(err, removed)
	}
	c.say("removed   what the drill has made")
	return err
}

func (d *rehearsing) run(ctx context.Context) error {
	first := filepath.Join(d.folder, "first")
	done, err := d.restoreNewest(ctx, first)
	if err != nil {
		return err
	}
	one, err := d.serveTimed(ctx, first)
	if err != nil {
		return err
	}
	defer one.stop()
	if err := d.lookBack(ctx, one, done.Ends); err != nil {
		return err
	}
	if err := d.lookDeep(ctx, one, "restored"); err != nil {
		return err
	}
	defer d.crew.Leave()
	kept := backup.At(filepath.Join(d.folder, "backups"))
	if err := d.work(ctx, one, kept); err != nil {
		return err
	}
	second := filepath.Join(d.folder, "second")
	if err := d.restoreOwn(ctx, kept, second); err != nil {
		return err
	}
	two, err := d.rehearse(ctx, d.cfg, second)
	if err != nil {
		return err
	}
	defer two.stop()
	return d.heal(ctx, one, two)
}

// work has the devices do what the backup holds, takes it, and has them do what
// it lacks.
func (d *rehearsing) work(ctx context.Context, one *rehearsal, kept backup.Folder) error {
	f := drill.Founder{People: newPeople(one.pool, d.key), Engine: one.engine, Now: now, NewID: newID}
	var err error
	if d.crew.Org, err = f.Found(ctx, "drill-"+newID().String(), newToken()); err != nil {
		return err
	}
	if err := d.crew.Board(ctx, one.url); err != nil {
		return err
	}
	if err := d.crew.Begin(ctx); err != nil {
		return err
	}
	from, err := one.source(ctx, d.cfg)
	if err != nil {
		return err
	}
	if _, err := backup.Take(ctx, from, backup.Options{Folder: kept, Key: d.key, Program: version(), Now: now, Tell: silent}); err != nil {
		return err
	}
	acknowledged, err := d.crew.Work(ctx)
	if err != nil {
		return err
	}
	d.crew.Leave()
	d.say("worked    %d devices have %d changes acknowledged that the second backup lacks", d.crew.Size(), acknowledged)
	return d.crew.Lose()
}

// heal lets the devices meet the server that was restored, and judges.
func (d *rehearsing) heal(ctx context.Context, one, two *rehearsal) error {
	start := now()
	if err := d.crew.Board(ctx, two.url); err != nil {
		return err
	}
	h, err := d.crew.Heal(ctx)
	if err != nil {
		return err
	}
	d.say("healed    %d devices have sent %d acknowledged changes again, in %s", h.Devices, h.Given, seconds(now().Sub(start)))
	for _, fault := range h.Faults {
		d.differ("%s", fault)
	}
	c, err := drill.Compare(ctx, one.pool, two.pool, d.crew.Org.ID, d.differ)
	if err != nil {
		return err
	}
	d.say("compared  %s records of %d orgs, one by one: %s", thousands(c.Records), c.Orgs, none(c.Differ, "differ"))
	if err := d.lookDeep(ctx, two, "healed"); err != nil {
		return err
	}
	if d.differs == 0 {
		d.say("well      a loss would keep you away for about %s, beside what it takes to notice", seconds(d.down))
	}
	return nil
}

func (d *rehearsing) differ(format string, args ...any) {
	d.differs++
	d.say("differs   "+format, args...)
}

func silent(string, ...any) {}
