package field

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// MaxURLBytes is how long a web address may be: what browsers and the maps and
// chat apps that share addresses all take.
const MaxURLBytes = 2048

var (
	errNotURL  = errors.New("must be a web address, such as https://example.com/page")
	errURLLong = fmt.Errorf("must be a web address of at most %d bytes", MaxURLBytes)
	errURLUser = errors.New("must be a web address without a user name or password in it")
)

// link is the type url: the address of a web page. Other schemes are refused,
// because somebody is going to tap on it.
type link struct{}

// Check returns the address without blanks around it, scheme and host in lower
// case. The rest is left alone: only its server knows what is the same page.
func (link) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	s, err := Text(raw)
	if err != nil {
		return nil, errNotURL
	}
	s = lowerHost(strings.TrimSpace(s))
	switch {
	case len(s) > MaxURLBytes:
		return nil, errURLLong
	case strings.ContainsFunc(s, notInURL):
		return nil, errNotURL
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return nil, errNotURL
	case u.User != nil:
		return nil, errURLUser
	}
	return quote(s), nil
}

// lowerHost puts everything up to the path in lower case.
func lowerHost(s string) string {
	start := strings.Index(s, "://")
	if start < 0 {
		return s
	}
	start += len("://")
	end := strings.IndexAny(s[start:], "/?#")
	if end < 0 {
		return strings.ToLower(s)
	}
	return strings.ToLower(s[:start+end]) + s[start+end:]
}

func notInURL(r rune) bool {
	return r == '\\' || unicode.IsSpace(r) || !unicode.IsGraphic(r)
}
