package pgtest

import (
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package, for its TestMain, and fails if anything
// goes on behind their back when all have ended. What the tests share, the
// server and the pool of its administrator, lives as long as the process.
func Main(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("roadbook/localpg.(*Server).use.func1"),
		goleak.IgnoreAnyFunction("github.com/jackc/pgx/v5/pgxpool.(*Pool).backgroundHealthCheck"),
	)
}
