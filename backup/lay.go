package backup

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"roadbook/errs"
	"roadbook/localpg"
)

// The archive goes into pg_wal before the database starts, so that PostgreSQL
// finds what it needs where it looks by itself. A restore_command has to be
// given all the same; this one never finds anything, and there is nothing in it
// to quote.
const noCommand = "exit 1"

// prepare makes a database that will come to a point when it is started, and
// says with which settings.
func (r *restoring) prepare(ctx context.Context, room string, stop map[string]string) (dir string, settings map[string]string, err error) {
	dir, data, err := r.site.Room(room)
	if err != nil {
		return "", nil, err
	}
	if err := r.o.Folder.lay(ctx, r.m, r.o.With, data); err != nil {
		return dir, nil, err
	}
	target, err := r.layWAL(ctx, filepath.Join(data, "pg_wal"))
	if err == nil {
		err = writeFile(filepath.Join(data, "recovery.signal"), nil)
	}
	if err == nil {
		err = r.site.Give(data)
	}
	if err != nil {
		return dir, nil, err
	}
	settings = map[string]string{
		"restore_command":          noCommand,
		"recovery_target_timeline": strconv.FormatUint(uint64(target), 10),
		"recovery_target_action":   "promote",
		"hot_standby":              "off", // nobody is let in before it has come there
		"archive_mode":             "off",
	}
	for name, value := range stop {
		settings[name] = value
	}
	for name, value := range r.o.Settings {
		settings[name] = value
	}
	return dir, settings, nil
}

// layWAL copies the archive behind the backup to where PostgreSQL looks. A link
// would not do: it writes over files that it has done with.
func (r *restoring) layWAL(ctx context.Context, dir string) (target uint32, err error) {
	fail := func(err error) (uint32, error) {
		return 0, errs.New("backup.Restore", errs.Invalid, "the archive in %s cannot be laid out", r.o.Folder.wal()).Because(err)
	}
	a, err := readArchive(r.o.Folder.wal(), r.m.PostgreSQL.Segment)
	if err != nil {
		return fail(err)
	}
	s, err := a.after(r.m.WAL, r.o.With)
	if err != nil {
		return fail(err)
	}
	for t, path := range a.histories {
		if err := r.copyWAL(path, filepath.Join(dir, historyName(t))); err != nil {
			return fail(err)
		}
	}
	for _, h := range s.from {
		if h.partial && h.no*a.size < uint64(r.m.WAL.To) {
			continue // the backup brought all of it
		}
		if err := errors.Join(ctx.Err(), r.copyWAL(h.path, filepath.Join(dir, h.name(a.size)))); err != nil {
			return fail(err)
		}
	}
	if s.gap != "" {
		r.o.Tell("the archive lacks the file %s: nothing behind it can be restored from this backup", s.gap)
	}
	return s.target, nil
}

func historyName(timeline uint32) string {
	text := strings.ToUpper(strconv.FormatUint(uint64(timeline), 16))
	return strings.Repeat("0", 8-len(text)) + text + historySuffix
}

// copyWAL copies a file over what the backup brought of it, which may be less.
func (r *restoring) copyWAL(from, to string) error {
	in, err := openWAL(from, r.o.With)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// recover starts what prepare has made, which returns when it has come to its
// point.
func (r *restoring) recover(ctx context.Context, room string, stop map[string]string) (*localpg.Server, error) {
	dir, settings, err := r.prepare(ctx, room, stop)
	if err != nil {
		return nil, err
	}
	server, err := localpg.Open(ctx, localpg.Config{
		Dir: dir, Bin: r.o.Bin, Fast: r.o.Fast, Settings: settings, Logf: r.o.Tell,
	})
	if err != nil && strings.Contains(causeOf(err), "recovery ended before configured recovery target was reached") {
		return nil, errs.New("backup.Restore", errs.Invalid, "what was kept ends before %s: leave out --to to restore all "+
			"that there is", r.o.Until).Because(err)
	}
	return server, err
}

func causeOf(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok && e.Cause != nil {
		return e.Cause.Error()
	}
	return err.Error()
}
