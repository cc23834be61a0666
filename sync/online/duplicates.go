package online

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/record/match"
	"roadbook/record/match/sieve"
	"roadbook/store"
	"roadbook/sync"
)

// maxAlike is how many records that are alike are told of: more than these share
// a switchboard's number.
const maxAlike = 20

// Alike is a record that is about the same thing as what was asked about, or may
// be. Who may not see it is told no more than a hint.
type Alike struct {
	Certain bool      `json:"certain"`
	Fields  []string  `json:"fields"` // that are equal
	Hint    string    `json:"hint"`
	ID      record.ID `json:"id,omitzero"` // if the caller may see it
	Record  *Record   `json:"record,omitempty"`
}

// Duplicates finds the records that are alike to one that somebody is about to
// make, or has made: id, which is not told of itself.
func (s *Service) Duplicates(ctx context.Context, who access.Caller, kind string, id record.ID, values record.Values) (found []Alike, err error) {
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		k, err := matched(v, kind)
		if err != nil {
			return err
		}
		found, err = s.alike(ctx, v, k, id, k.MatchesOf(values))
		return err
	})
	return found, err
}

// matched is a kind of which duplicates are found, for whom it is.
func matched(v sync.Sight, kind string) (*record.Kind, error) {
	k := v.Schema.Kind(kind)
	if k == nil || k.Match == nil || !v.Actor.Reads(k) {
		return nil, errs.New("online.duplicates", errs.Invalid, "nobody looks for duplicates of this kind").Coded("unknown_kind")
	}
	return k, nil
}

func (s *Service) alike(ctx context.Context, v sync.Sight, k *record.Kind, own record.ID, keys []match.Key) ([]Alike, error) {
	short := make([]string, len(keys))
	for i := range keys {
		short[i] = keys[i].Index()
	}
	byKey, err := v.Tx.Alike(ctx, k.MatchNo(), short, maxAlike)
	if err != nil {
		return nil, err
	}
	var ids []record.ID
	for _, key := range short {
		ids = append(ids, byKey[key]...)
	}
	rows, err := v.Tx.Records(ctx, record.SortedIDs(ids))
	if err != nil {
		return nil, err
	}
	out := []Alike{}
	for i := range rows {
		rec, err := rows[i].Record(v.Schema)
		if err != nil {
			return nil, err
		}
		key, shared := match.Shared(keys, rec.Matches())
		if !shared || rec.ID == own || rec.State == record.Deleted || len(out) == maxAlike {
			continue
		}
		a := Alike{Certain: key.Certain, Fields: k.Match.Fields(key), Hint: sync.Hint(rec)}
		if v.Actor.Sees(k, rec.Scopes) {
			shown := project(rec, v.Actor)
			a.ID, a.Record = rec.ID, &shown
		}
		out = append(out, a)
	}
	return out, nil
}

// Fingerprints is the sieve of a kind. It is made in the name of whoever asks
// for it, and others are given the one from before meanwhile.
func (s *Service) Fingerprints(ctx context.Context, who access.Caller, kind string) (Sieve, error) {
	var no int16
	var head record.Seq
	err := s.engine.Look(ctx, who, func(v sync.Sight) error {
		k, err := matched(v, kind)
		if err == nil {
			no, head = k.MatchNo(), v.Head.Seq
		}
		return err
	})
	if err != nil {
		return Sieve{}, err
	}
	now := s.now()
	return s.sieves.get(ctx, fmt.Sprint(who.Org, " ", no), head, now, func(ctx context.Context) (Sieve, error) {
		made, err := s.sieve(ctx, who, no)
		made.head, made.made = head, now // what has come since may be in it, or not
		return made, err
	})
}

// keysAtOnce is how many keys one look reads, so that no snapshot is held while
// all of them are.
const keysAtOnce = 20_000

func (s *Service) sieve(ctx context.Context, who access.Caller, no int16) (Sieve, error) {
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "fingerprints %d", who.Org) // a hash takes everything
	keys := sieve.NewBuilder(sieve.Salt(mac.Sum(nil)[:len(sieve.Salt{})]))
	for after, n := (store.KeyPlace{}), s.keysAtOnce; n == s.keysAtOnce; {
		var next store.KeyPlace
		err := s.engine.Look(ctx, who, func(v sync.Sight) (err error) {
			n, next, err = v.Tx.Keys(ctx, no, after, s.keysAtOnce, keys.Add)
			return err
		})
		if err != nil {
			return Sieve{}, err
		}
		after = next
	}
	made, err := keys.Sieve()
	if err != nil {
		return Sieve{}, err
	}
	text, err := made.Bytes()
	sum := sha256.Sum256(text)
	return Sieve{Bytes: text, Tag: `"` + hex.EncodeToString(sum[:12]) + `"`}, err
}
