package main

import (
	"os"
	"path/filepath"
	stdsync "sync"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/config"
)

func TestInstallationKey(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	keys := make([][]byte, 8) // of servers that start together
	var group stdsync.WaitGroup
	for i := range keys {
		group.Go(func() { keys[i], _ = installationKey(config.Config{}, folder) })
	}
	group.Wait()

	for _, key := range keys {
		require.Len(t, key, config.KeyBytes)
		require.Equal(t, keys[0], key)
	}
	info, err := os.Stat(filepath.Join(folder, keyFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, left, 1, "no drafts")
}

func TestInstallationKey_given(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	cfg := config.Config{Secret: config.NewSecret("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")}
	key, err := installationKey(cfg, folder)
	require.NoError(t, err)
	require.Equal(t, byte(0x11), key[1])
	require.NoFileExists(t, filepath.Join(folder, keyFile))
}

func TestInstallationKey_cannotBeKept(t *testing.T) {
	t.Parallel()

	_, err := installationKey(config.Config{}, filepath.Join(t.TempDir(), "missing"))
	require.ErrorContains(t, err, "give a key in ROADBOOK_SECRET")
}

func TestDerive(t *testing.T) {
	t.Parallel()

	key := make([]byte, config.KeyBytes)
	require.Equal(t, derive(key, forTokens), derive(key, forTokens))
	require.NotEqual(t, derive(key, forTokens), derive(key, forEngine))
	require.NotEqual(t, derive(key, forTokens), derive(randomBytes(config.KeyBytes), forTokens))
	require.Len(t, derive(key, forTokens), config.KeyBytes)
}

func TestDrawReplica(t *testing.T) {
	t.Parallel()

	for range 1000 {
		require.Positive(t, drawReplica())
	}
	require.NotEqual(t, newToken(), newToken())
	require.Len(t, newToken(), 43)
}
