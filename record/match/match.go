// Package match says when two records are about the same thing in the world: the
// values that tell, brought into one spelling. It is pure; what counts and how is
// data of the schema, the same on servers and devices.
package match

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Rules say which fields of a kind tell, and when that is enough.
type Rules struct {
	// Keys are the fields that tell, and how each is spelled: company, phone,
	// code or text.
	Keys map[string]string `json:"keys"`
	// Certain are the sets of fields of which all must be equal for two records to
	// be one. Likely are those that are worth a person's look.
	Certain [][]string `json:"certain"`
	Likely  [][]string `json:"likely,omitempty"`
	// Forms are the legal forms that a company's name may end in and that say
	// nothing of who it is.
	Forms []string `json:"forms,omitempty"`
	// Country is the calling code of a phone number that names none.
	Country string `json:"country,omitempty"`

	spelled sync.Once
	cut     []form
}

// MaxValues is the most values of one field that tell: a shop has a few phones,
// and every pair of values is a row of an index.
const MaxValues = 8

// Key is a set of values in one spelling. Records that have an equal one are
// about the same thing, or may be.
type Key struct {
	Certain bool
	Text    string // in full, to compare
}

// hashed is how many bytes of a hash stand for a key in an index: a hundred
// million keys have a false pair with a chance of one in a million.
const hashed = 9

// Index is a short form of the key, as an index has it.
func (k Key) Index() string {
	sum := sha256.Sum256([]byte(k.Text))
	return string(k.Text[0]) + base64.RawURLEncoding.EncodeToString(sum[:hashed])
}

// Check lists what is wrong with the rules. has reports whether the kind has a
// field.
func (r *Rules) Check(has func(field string) bool) (wrong []string) {
	for _, f := range slices.Sorted(maps.Keys(r.Keys)) {
		if !has(f) {
			wrong = append(wrong, fmt.Sprintf("%s tells duplicates and is no field", f))
		}
		if spellings[r.Keys[f]] == nil {
			wrong = append(wrong, fmt.Sprintf("%s: there is no spelling %q", f, r.Keys[f]))
		}
	}
	for _, set := range slices.Concat(r.Certain, r.Likely) {
		if len(set) == 0 {
			wrong = append(wrong, "a set of fields that tells duplicates is empty")
		}
		for _, f := range set {
			if r.Keys[f] == "" {
				wrong = append(wrong, fmt.Sprintf("%s is said to tell duplicates, and not how it is spelled", f))
			}
		}
	}
	return wrong
}

// Of lists the keys of a record, of which values says what a field holds. They come
// in one order, each once.
func (r *Rules) Of(values func(field string) []string) (keys []Key) {
	spelled := make(map[string][]string, len(r.Keys))
	for field, how := range r.Keys {
		spelled[field] = r.spellAll(how, values(field))
	}
	for i, set := range r.Certain {
		keys = combine(keys, true, fmt.Sprintf("c%d", i), set, spelled)
	}
	for i, set := range r.Likely {
		keys = combine(keys, false, fmt.Sprintf("l%d", i), set, spelled)
	}
	return keys
}

func (r *Rules) spellAll(how string, values []string) (all []string) {
	for _, v := range values {
		if s := r.Spell(how, v); s != "" {
			all = append(all, s)
		}
	}
	slices.Sort(all)
	all = slices.Compact(all)
	return all[:min(len(all), MaxValues)]
}

// combine adds a key for each choice of one value of every field.
func combine(keys []Key, certain bool, prefix string, set []string, spelled map[string][]string) []Key {
	texts := []string{prefix}
	for _, field := range set {
		var longer []string
		for _, t := range texts {
			for _, v := range spelled[field] {
				longer = append(longer, t+"\x1f"+v)
			}
		}
		texts = longer
	}
	for _, t := range texts {
		keys = append(keys, Key{Certain: certain, Text: t})
	}
	return keys
}

// Shared is a key that two records have in common, a certain one if there is
// any.
func Shared(a, b []Key) (shared Key, ok bool) {
	for _, k := range a {
		if (!ok || k.Certain && !shared.Certain) && slices.Contains(b, k) {
			shared, ok = k, true
		}
	}
	return shared, ok
}

// Fields names the fields of a key, for people.
func (r *Rules) Fields(k Key) []string {
	var i int
	sets := r.Likely
	if k.Certain {
		sets = r.Certain
	}
	if _, err := fmt.Sscanf(k.Text[1:strings.IndexByte(k.Text, '\x1f')], "%d", &i); err != nil || i >= len(sets) {
		return nil
	}
	return sets[i]
}
