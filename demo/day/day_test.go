package day_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/demo/day"
	"roadbook/errs"
)

// typing makes the test's binary the app that a day kills.
const typing = "typing"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == typing {
		err := day.Type(context.Background(), day.TypeConfig{
			Now: time.Now, NewID: newID, Sleep: sleep, In: os.Stdin, Out: os.Stdout,
		}, os.Args[2:])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func typist(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, os.Args[0], append([]string{typing}, args...)...)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// config is a day against a server, and what it prints.
func (s *server) config(t *testing.T) (day.Config, *bytes.Buffer) {
	t.Helper()

	var out bytes.Buffer
	return day.Config{
		BaseURL: s.url, Out: &out, Now: s.now, NewID: newID, Sleep: sleep, Typist: typist, Dir: t.TempDir(),
		Seed: 1, Lang: day.English, Fast: true,
	}, &out
}

// One server, as often as one likes: once, once more three weeks later in the
// other language, and twice at the same time.
func TestRun(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	c, out := s.config(t)
	pass(t, c, out)

	s.later(21 * 24 * time.Hour)
	c, out = s.config(t)
	c.Lang, c.Seed = day.Chinese, 2
	pass(t, c, out)
	require.Contains(t, out.String(), "K 的标签")

	t.Run("at once", func(t *testing.T) {
		for _, copies := range []bool{false, true} {
			t.Run(fmt.Sprintf("copies %t", copies), func(t *testing.T) {
				t.Parallel()

				c, out := s.config(t)
				c.Copies = copies
				pass(t, c, out)
			})
		}
	})
	s.requireDiscreet(t)
}

// pass lets a day pass and wants everything in it to be right.
func pass(t *testing.T, c day.Config, out *bytes.Buffer) {
	t.Helper()

	failed, err := day.Run(t.Context(), c)

	require.NoError(t, err, out)
	require.Zero(t, failed, out)
	require.NotContains(t, out.String(), "✗")
	require.Equal(t, 40, strings.Count(out.String(), "✓"), out)
	for line := range strings.Lines(out.String()) {
		require.LessOrEqual(t, day.Width(strings.TrimSuffix(line, "\n")), 100, line)
		require.NotContains(t, line, "%!")
	}
}

func TestRun_aServerWithoutTheDemo(t *testing.T) {
	t.Parallel()

	s := emptyServer(t)
	c, out := s.config(t)

	_, err := day.Run(t.Context(), c)

	require.Equal(t, day.NoDemo, errs.CodeOf(err), "%v", err)
	require.NotContains(t, out.String(), "✓")
}

func TestRun_noServer(t *testing.T) {
	t.Parallel()

	s := emptyServer(t)
	c, out := s.config(t)
	c.BaseURL = "http://127.0.0.1:1"

	_, err := day.Run(t.Context(), c)

	require.Equal(t, "offline", errs.CodeOf(err), "%v", err)
	require.NotContains(t, out.String(), "✓")
}
