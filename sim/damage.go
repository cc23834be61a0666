package sim

import (
	"bytes"

	"roadbook/clients/go/localstore"
)

// spoils has a phone's store lose something of what was pulled, and its app
// started again: a bit of a row flips, a row is gone, or a page that was kept
// back.
func (p *phone) spoils(s Step) error {
	tables := []string{"base.a", "base.b"}
	if s.Args[0] == "page" {
		tables = []string{"pages"}
	}
	var rows []localstore.Write
	for _, table := range tables {
		err := p.memory.Load(table, func(key, value []byte) error {
			rows = append(rows, localstore.Write{Table: table, Key: bytes.Clone(key), Value: bytes.Clone(value)})
			return nil
		})
		if err != nil {
			return err
		}
	}
	if len(rows) == 0 {
		return errPassed
	}
	row := rows[s.number("at")%len(rows)]
	if s.Args[0] == "bit" {
		at := s.number("at") % (len(row.Value) * 8)
		row.Value[at/8] ^= 1 << (at % 8)
	} else {
		row.Value = nil
	}
	if err := p.memory.Write([]localstore.Write{row}); err != nil {
		return err
	}
	p.steady = false
	return p.open()
}
