package history

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"hash"

	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// A receipt proves to a server that was restored to an earlier point that it
// once judged a mutation, and what it had established of it. It is
// HMAC-SHA-256 with a key that no restore of the database takes back, cut to 16
// bytes. That of a refused mutation proves only that.

func (t *Teller) receipt(org record.OrgID, epoch string, row *store.Entry, over map[record.ID]version.Vector) string {
	return base64.RawURLEncoding.EncodeToString(t.receiptMAC(org, epoch, row, over))
}

func (t *Teller) receiptMAC(org record.OrgID, epoch string, row *store.Entry, over map[record.ID]version.Vector) []byte {
	mac, _ := t.macs.Get().(hash.Hash)
	defer t.macs.Put(mac)
	mac.Reset()
	b := make([]byte, 0, 128)
	if row.Result == record.Refused {
		b = append(b, "refused\x00"...)
	} else {
		b = append(b, "receipt\x00"...)
	}
	b = binary.BigEndian.AppendUint32(b, uint32(org))
	b = append(append(b, epoch...), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(row.Replica))
	b = binary.BigEndian.AppendUint64(b, row.N)
	b = append(b, row.ID[:]...)
	if row.Result != record.Refused {
		b = binary.BigEndian.AppendUint64(b, uint64(row.Stamp.Packed()))
	}
	b = binary.BigEndian.AppendUint64(b, uint64(row.Seq))
	for _, id := range idsOf(over) {
		b = append(b, id[:]...)
		b = append(append(b, over[id].String()...), 0)
	}
	mac.Write(b)
	return mac.Sum(nil)[:16]
}

// Proof is what a mutation proves of itself: nothing, that it was applied, or
// that it was refused, in the log's life that epoch names.
type Proof struct {
	Result record.Result // "" proves nothing
	Dot    record.Writer // what it was called then
}

// Prove checks the receipt that a mutation brings.
func (t *Teller) Prove(org record.OrgID, replica record.ReplicaID, m *record.Mutation) Proof {
	a := m.Again
	if a == nil || m.Broken != nil {
		return Proof{}
	}
	dot := record.Writer{Replica: replica, N: m.N}
	if !a.Dot.IsZero() {
		no, ok := store.ReplicaNo(a.Dot.Replica)
		if !ok {
			return Proof{}
		}
		dot = record.Writer{Replica: no, N: a.Dot.N}
	}
	row := &store.Entry{Replica: dot.Replica, N: dot.N, ID: m.ID, Stamp: a.Stamp, Seq: a.Seq, Result: record.Applied}
	over := a.Over
	if a.Result == record.Refused {
		row.Result, over = record.Refused, nil
	}
	given, err := base64.RawURLEncoding.DecodeString(a.Receipt)
	if err != nil || !hmac.Equal(given, t.receiptMAC(org, a.Epoch, row, over)) {
		return Proof{}
	}
	return Proof{Result: row.Result, Dot: dot}
}
