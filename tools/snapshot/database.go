package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"roadbook/migrations"
	"roadbook/store/pg"
	"roadbook/store/pg/pgtest"
)

// database is one that is there for one snapshot, on the tests' server.
type database struct{ admin, name, address string }

var databases atomic.Int32

func newDatabase(ctx context.Context) (*database, error) {
	admin, err := pgtest.Start(ctx)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(admin)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("snapshot_%d_%d", os.Getpid(), databases.Add(1))
	u.Path = "/" + name
	_, err = program(ctx, nil, "psql", "-q", "-d", admin, "-c", "CREATE DATABASE "+name+" TEMPLATE template0 ENCODING 'UTF8'")
	return &database{admin, name, u.String()}, err
}

func (d *database) drop(ctx context.Context) error {
	_, err := program(context.WithoutCancel(ctx), nil, "psql", "-q", "-d", d.admin, "-c", "DROP DATABASE "+d.name+" WITH (FORCE)")
	return err
}

func (d *database) migrate(ctx context.Context) error {
	pool, err := pg.Open(ctx, d.address)
	if err != nil {
		return err
	}
	defer pool.Close()
	return migrations.Up(ctx, pool)
}

// dump is what pg_dump says, without what depends on the day and the machine.
func (d *database) dump(ctx context.Context, flags ...string) ([]byte, error) {
	text, err := program(ctx, nil, "pg_dump", append(flags, "--no-owner", "--no-privileges", "--no-comments", "-d", d.address)...)
	if err != nil {
		return nil, err
	}
	return normalised(text), nil
}

// load fills an empty database with dumps.
func (d *database) load(ctx context.Context, files ...string) error {
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := program(ctx, text, "psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-d", d.address); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// normalised drops comments, empty lines, and the settings of pg_dump's own
// version, of which others know nothing.
func normalised(text []byte) []byte {
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.TrimSpace(line) == "",
			strings.HasPrefix(line, "--"),
			strings.HasPrefix(line, `\`),
			strings.HasPrefix(line, "SET ") && !strings.HasPrefix(line, "SET check_function_bodies"):
			continue
		}
		out.WriteString(line)
	}
	return out.Bytes()
}

// program runs one of PostgreSQL's clients.
func program(ctx context.Context, in []byte, name string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
		if len(found) == 0 {
			return nil, fmt.Errorf("%s is needed: install PostgreSQL's client programs", name)
		}
		slices.Sort(found)
		path = found[len(found)-1]
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &complaint
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, complaint.String())
	}
	return out.Bytes(), nil
}
