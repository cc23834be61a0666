package device_test

import (
	"testing"

	"go.uber.org/goleak"
)

// A device that was closed does nothing any more.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
