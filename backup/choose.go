package backup

import (
	"time"

	"roadbook/errs"
)

// choose finds the backup from which a point can be reached in the shortest
// time: the last one from before it.
func choose(o RestoreOptions) (Manifest, error) {
	if o.ID != "" {
		m, err := o.Folder.Find(o.ID)
		if err == nil && !o.before(m) {
			err = tooLate(o, m)
		}
		return m, err
	}
	newest, err := o.Folder.Find("")
	if err != nil {
		return newest, err
	}
	whole, err := o.Folder.whole()
	if err != nil {
		return newest, err
	}
	for i := len(whole) - 1; i >= 0; i-- {
		if o.before(whole[i]) {
			return whole[i], nil
		}
	}
	return newest, tooLate(o, whole[0])
}

// before reports whether a backup is from before the point.
func (o RestoreOptions) before(m Manifest) bool {
	switch {
	case o.Seq != 0:
		for _, h := range m.Heads {
			if h.Org == o.Org {
				return h.Seq <= o.Seq
			}
		}
		return true // the org came later
	case !o.At.IsZero():
		return !m.Ended.After(o.At)
	}
	return true
}

func tooLate(o RestoreOptions, m Manifest) error {
	return errs.New("backup.Restore", errs.Missing, "%s is before the backup %s, which was finished at %s: only what came "+
		"after it can be reached from it", o.Until, m.ID, m.Ended.Format(time.RFC3339))
}
