// Command snapshot keeps a release, so that later ones can be upgraded from it
// in a test: the database that a small history leaves behind, and every frame
// that was exchanged on the way.
//
//	make release-snapshot V=v0.1.0
//
// What it has written is never written again: it is what devices in the field
// hold and what installations run on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "snapshot:", err)
		os.Exit(1)
	}
}

// Where a release is kept, below the root of the tree.
const (
	schemaFolder = "migrations/testdata"
	framesFolder = "sync/wire/testdata"
)

func run(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("snapshot", flag.ContinueOnError)
	release := set.String("v", "", "the release, such as v0.1.0")
	root := set.String("root", ".", "the root of the tree")
	again := set.Bool("update", false, "write it anew, as long as nobody runs the release")
	if err := set.Parse(args); err != nil {
		return err
	}
	if !regexp.MustCompile(`^v\d+\.\d+\.\d+$`).MatchString(*release) {
		return errors.New("name the release: -v v0.1.0")
	}
	k := keep{release: *release, root: *root}
	if _, err := os.Stat(k.schema()); err == nil && !*again {
		return fmt.Errorf("%s is kept already, and what is released does not change; while it is not released, say -update", *release)
	}
	if err := k.take(ctx); err != nil {
		return err
	}
	fmt.Println(k.schema(), k.data(), k.frames())
	return nil
}

// keep is a release and its places in the tree.
type keep struct{ release, root string }

func (k keep) schema() string { return filepath.Join(k.root, schemaFolder, k.release+".sql") }
func (k keep) data() string   { return filepath.Join(k.root, schemaFolder, k.release+".data.sql") }
func (k keep) frames() string { return filepath.Join(k.root, framesFolder, k.release) }

// take plays the history on a database of its own and writes what is left.
func (k keep) take(ctx context.Context) (err error) {
	d, err := newDatabase(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.drop(ctx)) }()
	if err := d.migrate(ctx); err != nil {
		return err
	}
	empty, err := d.dump(ctx, "--schema-only")
	if err != nil {
		return err
	}
	exchanges, err := play(ctx, d.address)
	if err != nil {
		return err
	}
	full, err := d.dump(ctx, "--data-only", "--inserts", "--rows-per-insert=50")
	if err != nil {
		return err
	}
	return errors.Join(write(k.schema(), empty), write(k.data(), full), k.writeFrames(exchanges))
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // a folder of the tree
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // a file of the tree
}
