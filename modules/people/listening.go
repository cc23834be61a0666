package people

import (
	"context"
	"maps"
	"slices"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/store"
	"roadbook/version"
)

// endedAtOnce is how many devices are looked up by one statement.
const endedAtOnce = 1000

// Ended lists those of an org's devices that have no session any more or are
// out of use. An access token does not know; who holds a connection open asks
// from time to time.
func (s *Service) Ended(ctx context.Context, org record.OrgID, devices []record.ID) ([]record.ID, error) {
	var all []record.ID
	for some := range slices.Chunk(devices, endedAtOnce) {
		ended, err := s.db.ended(ctx, org, some)
		if err != nil {
			return nil, err
		}
		all = append(all, ended...)
	}
	return all, nil
}

// InUse says of those of an org's devices that have a session whose they are.
func (s *Service) InUse(ctx context.Context, org record.OrgID, devices []record.ID) (map[record.ID]record.ID, error) {
	all := map[record.ID]record.ID{}
	for some := range slices.Chunk(devices, endedAtOnce) {
		users, err := s.db.inUse(ctx, org, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, users)
	}
	return all, nil
}

// Replica is the name under which the caller's device writes.
func (s *Service) Replica(ctx context.Context, who access.Caller) (version.Replica, error) {
	r, found, err := store.NewestReplica(ctx, s.db.pool, who.Org, who.Device)
	if err == nil && !found {
		err = errs.New("people.Replica", errs.Denied, "this device has no name; please sign in again").Coded("replica")
	}
	return r.Name, err
}
