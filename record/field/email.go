package field

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
)

// Limits of an e-mail address, those of RFC 5321, in bytes.
const (
	MaxEmailBytes = 254
	maxLocalBytes = 64
	maxLabelBytes = 63
)

var errNotEmail = fmt.Errorf(
	"must be one e-mail address of at most %d characters, such as lin@example.com", MaxEmailBytes)

// email is one bare address, without a name or brackets. Quoted local parts and
// numeric hosts are legal and refused: in this trade they are typing errors.
type email struct{}

// Check returns the address without blanks around it, its domain in lower case.
// The part before the @ keeps its case, which is its host's business.
func (email) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	s, err := Text(raw)
	if err != nil {
		return nil, errNotEmail
	}
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 0 {
		return nil, errNotEmail
	}
	local, domain := s[:at], strings.ToLower(s[at+1:])
	if len(local)+1+len(domain) > MaxEmailBytes || !mailbox(local) || !hostname(domain) {
		return nil, errNotEmail
	}
	return quote(local + "@" + domain), nil
}

func mailbox(local string) bool {
	if local == "" || len(local) > maxLocalBytes || strings.Contains("."+local+".", "..") {
		return false
	}
	return !strings.ContainsFunc(local, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`()<>[]:;,@\"`, r)
	})
}

// hostname takes names of two labels or more, in any script.
func hostname(domain string) bool {
	labels := strings.Split(domain, ".")
	for _, l := range labels {
		if l == "" || len(l) > maxLabelBytes || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(l, notInLabel) {
			return false
		}
	}
	return len(labels) > 1 && !digits(labels[len(labels)-1])
}

func notInLabel(r rune) bool {
	return r != '-' && !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Digit)
}
