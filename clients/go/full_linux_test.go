package device_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	device "roadbook/clients/go"
	"roadbook/errs"
	"roadbook/record"
)

// small is a disk with so much room.
func small(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small disk cannot be mounted here, for that takes the rights of root: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

// The disk runs full while somebody types: what he was told is kept is there,
// whole, and what did not fit is not there at all. The error says what to do,
// and when there is room it goes on.
func TestStore_diskFull(t *testing.T) {
	t.Parallel()

	dir := small(t, "512k")
	d, err := device.Open(crashConfig(dir))
	require.NoError(t, err)
	var told []record.ID
	text := strings.Repeat("客", 1000)
	for err == nil && len(told) < 10_000 {
		var id record.ID
		id, err = d.Mutate(func(ty *device.Typing) error {
			account := ty.Create("account", device.Values{"name": text})
			ty.Create("visit", device.Values{"account": account})
			return nil
		})
		if err == nil {
			told = append(told, id)
		}
	}
	require.Error(t, err)
	require.Equal(t, "full", errs.CodeOf(err))
	require.ErrorContains(t, err, "free some")
	require.NotEmpty(t, told)
	require.NoError(t, d.Close())

	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"))
	d, err = device.Open(crashConfig(dir))
	require.NoError(t, err)
	outbox := d.Outbox()
	require.Len(t, outbox, len(told), "as much as was said, and nothing half written")
	for i, m := range outbox {
		require.Equal(t, told[i], m.ID)
		require.Equal(t, uint64(i+1), m.N)
		require.Len(t, m.Edits, 2, "whole")
	}
	_, err = d.Create("account", device.Values{"name": "and on"})
	require.NoError(t, err)
	require.Equal(t, uint64(len(told)+1), d.Outbox()[len(told)].N)
	require.NoError(t, d.Close())
}
