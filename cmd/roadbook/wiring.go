package main

import (
	"roadbook/modules/approvals"
	"roadbook/modules/people"
	"roadbook/modules/reminders"
	"roadbook/push"
	"roadbook/record"
	"roadbook/store"
	"roadbook/sync"
	"roadbook/sync/online"
)

// newPeople is the sign-in over a migrated database.
func newPeople(pool *people.Pool, key []byte) *people.Service {
	return people.New(people.Config{
		Pool: pool, Key: derive(key, forTokens), Now: now, Draw: drawReplica, NewID: newID, NewToken: newToken,
	})
}

// newOnline serves clients without a store.
func newOnline(engine *sync.Engine, key []byte) *online.Service {
	return online.New(engine, derive(key, forLists), now)
}

// newEngine is the engine over a migrated database, with every module's rule.
// moved is told of each commit; nil where nobody follows.
func newEngine(pool *people.Pool, key []byte, o observers, moved func(record.OrgID, record.Seq)) *sync.Engine {
	return sync.New(sync.Config{
		Store: store.New(pool), Rules: []sync.Rule{people.Rule{}, reminders.Rule{}, push.Rule{}}, Processes: []sync.Process{approvals.NewProcess()},
		Key: derive(key, forEngine), Now: now, Draw: drawReplica,
		Fault: o.fault, Log: o.log, Metrics: o.metrics, Tracer: o.tracer, Moved: moved, Rest: sleep,
	})
}
