package words

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
)

// Whatever a change can be refused for, somebody is told what to do about it, or
// that it is the app's fault.
func TestFix_everyRefusal(t *testing.T) {
	t.Parallel()

	refusals := regexp.MustCompile(`\b(?:refuseReserve|no)\(errs\.\w+, "([a-z_]+)"`)
	judges := regexp.MustCompile(`^(sync/[a-z]+\.go|(conflicts|access|record)/.*|modules/people/rule\.go)$`)
	notOfOne := map[string]bool{ // of a request as a whole, which is an error and no outcome
		"hole": true, "fork": true, "replica": true, "many": true, "id": true, "stopping": true, "schema": true,
	}
	tree := os.DirFS("../..")
	codes := map[string]string{}
	require.NoError(t, fs.WalkDir(tree, ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !judges.MatchString(path) || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(tree, path)
		for _, match := range append(codePattern.FindAllStringSubmatch(string(source), -1), refusals.FindAllStringSubmatch(string(source), -1)...) {
			codes[strings.Join(match[1:], "")] = path
		}
		return err
	}))
	for _, code := range []string{"merged", "delegate", "answered", "reserve_closed", "number", "number_taken", "cycle", "type", "not_set"} {
		require.Contains(t, codes, code, "the scan finds all sorts")
	}
	for code, path := range codes {
		if _, is := fixes[code]; is || ofPrograms[code] || notOfOne[code] || code == string(errs.Denied) {
			continue
		}
		t.Errorf("%s refuses with the code %q: say in fixes.go what to do about it", path, code)
	}
}

func TestFix_areSentences(t *testing.T) {
	t.Parallel()

	all := map[string]said{"denied": fixOfDenied, "parked": fixOfWaiting, "program": fixOfProgram, "others": fixOfOthers}
	for code, f := range fixes {
		all[code] = f
	}
	for code, f := range all {
		require.Regexp(t, `^[A-Z].*\.$`, f.en, code)
		require.Regexp(t, `。$`, f.zh, code)
		require.True(t, strings.ContainsFunc(f.zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }), code)
	}
}

func TestFix(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		code  string
		kind  errs.Kind
		waits bool
		want  said
	}{
		{"parked", errs.Missing, true, fixOfWaiting},
		{"parked", errs.Missing, false, fixes["parked"]},
		{"catalogue", errs.Denied, false, fixes["catalogue"]},
		{"role", errs.Denied, false, fixOfDenied},
		{"unknown_field", errs.Invalid, false, fixOfProgram},
		{"wide", errs.Invalid, false, fixOfOthers},
	} {
		r := &record.Refusal{Kind: tt.kind, Code: tt.code}
		require.Equal(t, tt.want.en, Fix(r, tt.waits, English), tt.code)
		require.Equal(t, tt.want.zh, Fix(r, tt.waits, Chinese), tt.code)
	}
}
