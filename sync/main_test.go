package sync_test

import (
	"testing"

	"roadbook/store/pg/pgtest"
)

// Nothing goes on behind a server's back when the tests have ended.
func TestMain(m *testing.M) { pgtest.Main(m) }
