package backup

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"roadbook/store/pg"
)

const (
	partialSuffix = ".partial" // of a file of the WAL that is still being received
	historySuffix = ".history" // of a file that says where a timeline began
)

var segmentName = regexp.MustCompile(`^[0-9A-F]{24}$`)

// segment is a file of the WAL: so many bytes of one timeline.
type segment struct {
	timeline uint32
	no       uint64
}

// parseSegment reads a file's name. size is the bytes of a segment.
func parseSegment(name string, size uint64) (segment, bool) {
	if !segmentName.MatchString(name) || size == 0 {
		return segment{}, false
	}
	t, _ := strconv.ParseUint(name[:8], 16, 32)
	high, _ := strconv.ParseUint(name[8:16], 16, 32)
	low, _ := strconv.ParseUint(name[16:], 16, 32)
	per := (uint64(1) << 32) / size
	return segment{uint32(t), high*per + low}, low < per
}

func (s segment) name(size uint64) string {
	per := (uint64(1) << 32) / size
	return fmt.Sprintf("%08X%08X%08X", s.timeline, s.no/per, s.no%per)
}

// held is a file of the archive.
type held struct {
	segment

	path    string
	partial bool // its end is still to come
}

// archive is what is in a folder of the WAL.
type archive struct {
	size      uint64
	segments  map[segment]held
	histories map[uint32]string // paths by timeline
}

// readArchive lists the archive. One that is not there is empty.
func readArchive(dir string, size uint64) (archive, error) {
	a := archive{size: size, segments: map[segment]held{}, histories: map[uint32]string{}}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err == nil {
			a.add(path)
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return a, err
}

func (a archive) add(path string) {
	name := strings.TrimSuffix(filepath.Base(path), sealedSuffix)
	whole, partial := strings.CutSuffix(name, partialSuffix)
	if s, ok := parseSegment(whole, a.size); ok {
		if _, better := a.segments[s]; !better || !partial {
			a.segments[s] = held{s, path, partial}
		}
	}
	if number, ok := strings.CutSuffix(name, historySuffix); ok {
		if t, err := strconv.ParseUint(number, 16, 32); err == nil {
			a.histories[uint32(t)] = path
		}
	}
}

// step is a timeline and the place up to which it was followed.
type step struct {
	timeline uint32
	upTo     pg.LSN
}

// path is how a timeline came to be: the ones before it, oldest first, each
// with the place at which the next one left it.
func (a archive) path(timeline uint32, with Identities) ([]step, error) {
	file, ok := a.histories[timeline]
	if !ok {
		return nil, nil
	}
	text, err := readWAL(file, with)
	if err != nil {
		return nil, err
	}
	var steps []step
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		t, err := strconv.ParseUint(fields[0], 10, 32)
		at, also := pg.ParseLSN(fields[1])
		if err != nil || also != nil {
			return nil, fmt.Errorf("%s cannot be understood: %q", file, line)
		}
		steps = append(steps, step{uint32(t), at})
	}
	return steps, nil
}

// target is the newest timeline that leads on from where a backup ends, and the
// path to it. One that left the backup's before its end is another history.
func (a archive) target(w WAL, with Identities) (uint32, []step, error) {
	newest, way := w.Timeline, []step(nil)
	if own, err := a.path(w.Timeline, with); err == nil {
		way = own
	}
	for t := range a.histories {
		steps, err := a.path(t, with)
		if err != nil {
			return 0, nil, err
		}
		leads := slices.ContainsFunc(steps, func(s step) bool { return s.timeline == w.Timeline && s.upTo >= w.To })
		if leads && t > newest {
			newest, way = t, steps
		}
	}
	return newest, way, nil
}

// readWAL reads a small file of the archive.
func readWAL(path string, with Identities) ([]byte, error) {
	in, err := openWAL(path, with)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	return io.ReadAll(io.LimitReader(in, maxManifest))
}

// openWAL opens a file of the archive, encrypted or as PostgreSQL wrote it.
func openWAL(path string, with Identities) (io.ReadCloser, error) {
	if strings.HasSuffix(path, sealedSuffix) {
		return openSealed(path, with)
	}
	return os.Open(path)
}

// stretch follows the archive from a backup's end for as long as nothing is
// missing.
type stretch struct {
	from   []held // in order; the last may still be growing
	target uint32
	upTo   pg.LSN // the end of the last whole file
	gap    string // the file that is missing although there are later ones
}

// after is the archive behind a backup.
func (a archive) after(w WAL, with Identities) (stretch, error) {
	target, way, err := a.target(w, with)
	if err != nil {
		return stretch{}, err
	}
	found, next := a.follow(w, target, way)
	s := stretch{target: target, from: found}
	for _, h := range found {
		if !h.partial {
			s.upTo = pg.LSN((h.no + 1) * a.size)
		}
	}
	for have := range a.segments {
		if have.no > next && have.timeline == target {
			s.gap = segment{timelineAt(way, target, next, a.size), next}.name(a.size)
		}
	}
	return s, nil
}

// follow lists the files on the way to a timeline, up to the first that is not
// there, which is next. Those that the backup itself brought need not be.
func (a archive) follow(w WAL, target uint32, way []step) (found []held, next uint64) {
	last := (max(uint64(w.To), 1) - 1) / a.size
	for no := uint64(w.From) / a.size; ; no++ {
		h, ok := a.segments[segment{timelineAt(way, target, no, a.size), no}]
		switch {
		case ok:
			found = append(found, h)
		case no > last:
			return found, no
		}
	}
}

// timelineAt is the timeline that a file of the WAL has on the way to target.
func timelineAt(way []step, target uint32, no, size uint64) uint32 {
	for _, s := range way {
		if no < uint64(s.upTo)/size {
			return s.timeline
		}
	}
	return target
}

// checkHeader holds a file of the WAL to its name and its cluster.
func (h held) checkHeader(size uint64, system string, with Identities) error {
	in, err := openWAL(h.path, with)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	var b [40]byte // XLogLongPageHeaderData
	if _, err := io.ReadFull(in, b[:]); err != nil {
		return fmt.Errorf("%s is too short: %w", h.path, err)
	}
	if h.partial && b == [40]byte{} {
		return nil // nothing has come yet
	}
	order := binary.NativeEndian
	address, of := order.Uint64(b[8:]), order.Uint64(b[24:])
	if address != h.no*size || strconv.FormatUint(of, 10) != system {
		return fmt.Errorf("%s holds other WAL than its name says", h.path)
	}
	if h.partial {
		return nil
	}
	rest, err := io.Copy(io.Discard, in)
	if err != nil || uint64(rest)+uint64(len(b)) != size {
		return errors.Join(fmt.Errorf("%s is not %d bytes long", h.path, size), err)
	}
	return nil
}
