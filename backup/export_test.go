package backup

import "path/filepath"

// Path is a file of a backup.
func (f Folder) Path(id string, name string) string { return filepath.Join(f.backups(), id, name) }

// Follow names the files of an archive that lead on from a backup, the timeline
// that they lead to, and the first that is missing.
func Follow(dir string, size uint64, w WAL) (names []string, target uint32, gap string, err error) {
	a, err := readArchive(dir, size)
	if err != nil {
		return nil, 0, "", err
	}
	s, err := a.after(w, nil)
	for _, h := range s.from {
		names = append(names, filepath.Base(h.path))
	}
	return names, s.target, s.gap, err
}
