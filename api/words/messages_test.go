package words

import (
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// expected are codes that travel although no source of ours says so in a way
// that the scan below understands.
var expected = []string{
	"malformed", "utf8", "surrogate", "nul", "deep", "size", "edits", "many", "n", "order", "envelope", "empty", "op",
	"id", "member", "stamp", "seen", "required", "type", "unknown_kind", "unknown_field", "server_field", "counter_set",
	"set_set", "floor", "missing", "denied", "deleted", "children", "depends_on", "kind_mismatch", "rewritten", "hole",
	"fork", "foreign", "horizon", "epoch", "rewound", "password", "locked", "token", "expired", "replica", "catalogue",
	"parent", "record_size", "once", "choice",
}

var codePattern = regexp.MustCompile(`Coded\("([a-z0-9_]+)"\)|\bcode[A-Z]\w*\s*=\s*"([a-z0-9_]+)"|\bCode:\s*"([a-z0-9_]+)"|\bs\.fail\("([a-z0-9_]+)", |[cC]oded\([^,]+, errs\.\w+, "([a-z0-9_]+)"\)`)

// codesInSource finds the codes that the server answers with. A device has
// some of its own, which it puts into words itself.
func codesInSource(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	tree := os.DirFS("../..")
	err := fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		if path == "clients" {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := fs.ReadFile(tree, path)
		for _, match := range codePattern.FindAllStringSubmatch(string(source), -1) {
			found[strings.Join(match[1:], "")] = path
		}
		return err
	})
	require.NoError(t, err)
	return found
}

func TestMessages(t *testing.T) {
	t.Parallel()

	found := codesInSource(t)
	require.Contains(t, found, "route", "the scan finds this package's own")
	for _, code := range expected {
		found[code] = "messages_test.go"
	}
	for _, kind := range errs.Kinds() {
		found[string(kind)] = "errs.go"
		require.NotEmpty(t, titles[kind].en, kind)
		require.NotEmpty(t, titles[kind].zh, kind)
	}
	for code, path := range found {
		_, ok := messages[code]
		require.True(t, ok, "%s uses the code %q: it needs a line in api/words", path, code)
	}
}

func TestMessages_areSentences(t *testing.T) {
	t.Parallel()

	for code, m := range messages {
		require.Regexp(t, `^[A-Z].*\.$`, m.en, code)
		require.Regexp(t, `。$`, m.zh, code)
		require.True(t, strings.ContainsFunc(m.zh, func(r rune) bool { return unicode.Is(unicode.Han, r) }), code)
		require.False(t, strings.ContainsFunc(m.en, func(r rune) bool { return r > unicode.MaxASCII }), code)
		require.NotContains(t, m.en, "%", code)
	}
	for code, limit := range map[string]int{"many": wire.MaxPush, "edits": record.MaxEdits} {
		require.Contains(t, messages[code].en, strconv.Itoa(limit))
		require.Contains(t, messages[code].zh, strconv.Itoa(limit))
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name         string
		e            *errs.Error
		english, zhe string
	}{
		{"its own words in English, the code's in Chinese", errs.New("", errs.Invalid, "too wide").Coded("once"), "too wide", messages["once"].zh},
		{"no words of its own", errs.New("", errs.Invalid, "").Coded("once"), messages["once"].en, messages["once"].zh},
		{"a code without a sentence", errs.New("", errs.Invalid, "too wide").Coded("wide"), "too wide", "too wide"},
		{"neither", errs.New("", errs.Invalid, "").Coded("wide"), messages["invalid"].en, messages["invalid"].zh},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			for lang, want := range map[Language]string{English: tt.english, Chinese: tt.zhe} {
				detail, _ := Explain(tt.e.Kind, tt.e.Code, tt.e.Msg, nil, lang)
				require.Equal(t, want, detail, lang)
			}
		})
	}
}

func TestPreferred(t *testing.T) {
	t.Parallel()

	for header, want := range map[string]Language{
		"":                           English,
		"*":                          English,
		"zh":                         Chinese,
		"zh-CN,zh;q=0.9,en;q=0.8":    Chinese,
		"en-GB, zh;q=0.9":            English,
		"de, zh;q=0.3, en;q=0.2":     Chinese,
		"de;q=1, fr":                 English,
		"en;q=0.5, ZH-Hant-TW;q=0.8": Chinese,
		"zh;q=0":                     English,
		"zh;q=0, en;q=0":             English,
		"zh;q=":                      English,
		"zh;q=NaN":                   English,
		"zh ; q=0.5":                 Chinese,
		";;,,;q=,-":                  English,
	} {
		require.Equal(t, want, Preferred(header), header)
	}
}
