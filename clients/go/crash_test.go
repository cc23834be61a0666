package device_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/record"
)

// crashDir tells the test binary to be the process that is killed, and where
// its store is.
const crashDir = "ROADBOOK_DEVICE_CRASH_DIR"

// crashTyped is how much that process types.
const crashTyped = 200

func crashConfig(dir string) device.Config {
	return device.Config{Dir: dir, Now: time.Now, NewID: func() record.ID { return record.ID(uuid.Must(uuid.NewV7())) }}
}

// TestCrash_child types two records in each mutation, says so as soon as the
// device does, and is killed in the middle of it.
func TestCrash_child(t *testing.T) {
	dir := os.Getenv(crashDir)
	if dir == "" {
		t.Skip("only as a child of TestCrash")
	}
	d, err := device.Open(crashConfig(dir))
	require.NoError(t, err)
	for range crashTyped {
		id, err := d.Mutate(func(ty *device.Typing) error {
			account := ty.Create("account", device.Values{"name": "half"})
			ty.Create("visit", device.Values{"account": account})
			return nil
		})
		require.NoError(t, err)
		fmt.Printf("typed %s\n", id)
	}
}

// Killed at any instant: every mutation that its author was told of is there,
// whole, and n has no holes.
func TestCrash(t *testing.T) {
	t.Parallel()
	dir, told := t.TempDir(), map[record.ID]bool{}
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	for round := range rounds {
		typeAndDie(t, dir, rand.IntN(crashTyped), told)

		d, err := device.Open(crashConfig(dir))
		require.NoError(t, err, "round %d", round)
		there := map[record.ID]bool{}
		for i, m := range d.Outbox() {
			require.Equal(t, uint64(i+1), m.N)
			require.Len(t, m.Edits, 2, "whole")
			there[m.ID] = true
		}
		for id := range told {
			require.True(t, there[id], "what its author was told of is there")
		}
		require.LessOrEqual(t, len(there), len(told)+round+1, "at most the one that was being told when it was killed")
		require.Len(t, d.List("account"), len(there))
		require.NoError(t, d.Close())
	}
}

// typeAndDie starts a process that types, and kills it after it has told of
// some mutations.
func typeAndDie(t *testing.T, dir string, after int, told map[record.ID]bool) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestCrash_child$", "-test.count=1")
	child.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); {
		var id string
		if _, err := fmt.Sscanf(lines.Text(), "typed %36s", &id); err != nil {
			continue
		}
		told[record.MustID(id)] = true
		if n++; n == after+1 {
			require.NoError(t, child.Process.Kill())
		}
	}
	_ = child.Wait() // it was killed
}

// Two processes may not write as one device.
func TestCrash_twoProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := device.Open(crashConfig(dir))
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	self, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), self, "-test.run=^TestCrash_child$", "-test.count=1")
	child.Env = append(os.Environ(), crashDir+"="+dir)

	out, err := child.CombinedOutput()

	require.Error(t, err)
	require.Contains(t, string(out), "already open")
}
