package main

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"roadbook/config"
	"roadbook/errs"
)

// keyFile holds the installation's key, outside the database: whoever reads a
// dump can forge neither tokens nor cursors.
const keyFile = "secret.key"

// What the keys made of it are for. A purpose is never reused: change its text
// and everything made with its key is worth nothing any more.
const (
	forTokens = "roadbook access tokens v1"
	forEngine = "roadbook cursors and receipts v1"
	forLists  = "roadbook places in lists v1"
)

// installationKey is the key that was given, or the one kept in folder, which
// is made the first time.
func installationKey(cfg config.Config, folder string) ([]byte, error) {
	if key := cfg.Key(); key != nil {
		return key, nil
	}
	path := filepath.Join(folder, keyFile)
	key, err := readKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if err := keepKey(path, randomBytes(config.KeyBytes)); err != nil {
		return nil, errs.New("roadbook.key", errs.Invalid, "the key cannot be kept in %s: make the folder writable, "+
			"or give a key in ROADBOOK_SECRET", path).Because(err)
	}
	return readKey(path)
}

// keptKey is the key that was given, or the one in folder, nil if there is none.
// It makes none: what was signed with the true one would be worth nothing.
func keptKey(cfg config.Config, folder string) ([]byte, error) {
	if key := cfg.Key(); key != nil {
		return key, nil
	}
	key, err := readKey(filepath.Join(folder, keyFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return key, err
}

func readKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, errs.New("roadbook.key", errs.Invalid, "the key in %s cannot be read: let the user who runs "+
			"Roadbook read it", path).Because(err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != config.KeyBytes {
		return nil, errs.New("roadbook.key", errs.Invalid, "%s does not hold a key: bring it back from a backup, or "+
			"remove it for a new one; with a new one everybody signs in again", path)
	}
	return key, nil
}

// keepKey puts a whole file in place or none, and never replaces one: of two
// servers that start together, both end up with the key of the first.
func keepKey(path string, key []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), keyFile+"-") // readable to us alone
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(draft.Name()) }()

	_, err = draft.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err := os.Link(draft.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// derive makes the key for one purpose.
func derive(key []byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, key, nil, purpose, config.KeyBytes)
	if err != nil {
		panic(err) // only for lengths that are not ours
	}
	return derived
}
