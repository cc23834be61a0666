package approvals_test

import (
	"testing"

	"roadbook/store/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
