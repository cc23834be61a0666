// Package localstore keeps a device's few tables of keys and values: in one
// file that survives being killed at any instant, or in memory for tests and
// simulations. It knows nothing of what it keeps. A batch of writes is there
// as a whole or not at all, and once Write has returned it stays.
package localstore

import (
	"bytes"
	"maps"
	"slices"
	"sync"
)

// Write puts a value under a key of a table. Without a value it deletes the
// key, and without a key it empties the table.
type Write struct {
	Table string
	Key   []byte
	Value []byte
}

// Memory is a store that lives as long as the process. Its zero value is
// empty. It outlasts the devices that are opened on it, so closing one and
// opening another is what killing and starting an app is.
type Memory struct {
	mu     sync.Mutex
	tables map[string]map[string][]byte
}

// Load calls each for every key of a table, in order.
func (m *Memory) Load(table string, each func(key, value []byte) error) error {
	m.mu.Lock()
	rows := maps.Clone(m.tables[table])
	m.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if err := each([]byte(key), rows[key]); err != nil {
			return err
		}
	}
	return nil
}

// Write makes the whole batch, in order.
func (m *Memory) Write(batch []Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range batch {
		m.write(w)
	}
	return nil
}

func (m *Memory) write(w Write) {
	switch rows := m.tables[w.Table]; {
	case w.Key == nil:
		delete(m.tables, w.Table)
	case w.Value == nil:
		delete(rows, string(w.Key))
	case rows == nil:
		if m.tables == nil {
			m.tables = map[string]map[string][]byte{}
		}
		m.tables[w.Table] = map[string][]byte{string(w.Key): bytes.Clone(w.Value)}
	default:
		rows[string(w.Key)] = bytes.Clone(w.Value)
	}
}

// Close does nothing: the memory stays for the next who opens it.
func (m *Memory) Close() error { return nil }

// Clone is a backup of the store as it is now.
func (m *Memory) Clone() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &Memory{tables: make(map[string]map[string][]byte, len(m.tables))}
	for table, rows := range m.tables {
		c.tables[table] = maps.Clone(rows) // values are never changed in place
	}
	return c
}
