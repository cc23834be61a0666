package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/demo/day"
)

func TestDemo_withoutAServer(t *testing.T) {
	t.Parallel()

	answers := func(status int) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	tests := []struct{ name, addr, want string }{
		{"nobody is there", "127.0.0.1:1", "no Roadbook answers at http://127.0.0.1:1: start it with: roadbook serve"},
		{"it is starting", answers(http.StatusServiceUnavailable), "still starting"},
		{"somebody else is there", answers(http.StatusNotFound), "is not a Roadbook"},
		{"no address", "http://[", "is no address"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, errOut, code := typed(t, "demo", "--addr", tt.addr)

			require.Equal(t, exitFailed, code)
			require.Contains(t, errOut, tt.want)
		})
	}
}

func TestConsole_language(t *testing.T) {
	t.Parallel()

	tests := []struct {
		asked   string
		environ []string
		want    day.Lang
	}{
		{"", nil, day.English},
		{"", []string{"LANG=zh_CN.UTF-8"}, day.Chinese},
		{"", []string{"LANG=zh_CN.UTF-8", "LC_ALL=C"}, day.English},
		{"en", []string{"LANG=zh_CN.UTF-8"}, day.English},
		{"zh", []string{"LANG=en_US.UTF-8"}, day.Chinese},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, (&console{environ: tt.environ}).language(tt.asked), tt)
	}
}
