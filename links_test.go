package roadbook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link     = regexp.MustCompile(`\]\(([^)#]+)?(#[^)]*)?\)`)
	testName = regexp.MustCompile("`((?:Test|Example|Fuzz|Benchmark)[A-Z]\\w*)`")
)

// A page that points at something points at something that is there.
func TestDocuments_links(t *testing.T) {
	t.Parallel()

	for _, page := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, page), -1) {
			if m[1] == "" || strings.Contains(m[1], "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(filepath.Dir(page), m[1]))
			require.NoError(t, err, "%s points at it", page)
		}
	}
	for _, row := range table(t, architecture, "I want to…") {
		for _, name := range ticked(row[1]) {
			_, err := os.Stat(name)
			require.NoError(t, err, "ARCHITECTURE.md sends people there who %s", row[0])
		}
	}
}

// A test or an example that a page names is there.
func TestDocuments_examples(t *testing.T) {
	t.Parallel()

	there := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.isTest {
			for _, name := range f.functions(t) {
				there[name] = true
			}
		}
	}
	named := 0
	for _, page := range documents(t) {
		for _, m := range testName.FindAllStringSubmatch(read(t, page), -1) {
			named++
			require.True(t, there[m[1]], "%s names %s, and no package has it", page, m[1])
		}
	}
	require.NotZero(t, named)
}

// Decisions are numbered without holes, and each says what was at stake, what
// was chosen and what follows.
func TestDocuments_decisions(t *testing.T) {
	t.Parallel()

	pages, err := filepath.Glob("docs/decisions/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	for i, page := range pages {
		number := fmt.Sprintf("%03d", i+1)
		require.Equal(t, number+"-", filepath.Base(page)[:4], page)
		text := read(t, page)
		require.True(t, strings.HasPrefix(text, "# "+number+" "), "%s begins with its number and what it decides", page)
		var parts []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "## ") {
				parts = append(parts, strings.TrimSpace(line[3:]))
			}
		}
		require.Equal(t, []string{"Context", "Choice", "Consequences"}, parts, page)
	}
}
