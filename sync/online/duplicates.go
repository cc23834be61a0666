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

// Fingerprints is the sieve of a kind.
func (s *Service) Fingerprints(ctx context.Context, who access.Caller, kind string) (out Sieve, err error) {
	defer s.sieves.enter()()
	err = s.engine.Look(ctx, who, func(v sync.Sight) error {
		k, err := matched(v, kind)
		if err != nil {
			return err
		}
		name := fmt.Sprint(who.Org, " ", k.No)
		if known, fresh := s.sieves.get(name, v.Head.Seq, s.now()); fresh {
			out = known
			return nil
		}
		if out, err = s.sieve(ctx, v, who.Org, k); err == nil {
			s.sieves.put(name, out)
		}
		return err
	})
	return out, err
}

func (s *Service) sieve(ctx context.Context, v sync.Sight, org record.OrgID, k *record.Kind) (Sieve, error) {
	keys, err := v.Tx.Keys(ctx, k.MatchNo())
	if err != nil {
		return Sieve{}, err
	}
	mac := hmac.New(sha256.New, s.key)
	_, _ = fmt.Fprintf(mac, "fingerprints %d", org) // a hash takes everything
	made, err := sieve.New(sieve.Salt(mac.Sum(nil)[:len(sieve.Salt{})]), keys)
	if err != nil {
		return Sieve{}, err
	}
	text, err := made.Bytes()
	sum := sha256.Sum256(text)
	return Sieve{Bytes: text, Tag: `"` + hex.EncodeToString(sum[:12]) + `"`, head: v.Head.Seq, made: s.now()}, err
}
