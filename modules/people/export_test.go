package people

import "roadbook/record"

// ParseHash reads a stored password and writes it again.
func ParseHash(text string) (string, error) {
	h, err := parseHash(text)
	return h.String(), err
}

// ParseRefresh is the family that a refresh token names.
func ParseRefresh(token string) (record.OrgID, record.ID, bool) { return parseRefresh(token) }

// NewRefresh is a refresh token of a family.
func NewRefresh(org record.OrgID, session record.ID, chance string) string {
	return newRefresh(org, session, chance)
}
