package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/api"
	"roadbook/telemetry"
)

func TestMetrics(t *testing.T) {
	t.Parallel()

	const token, here, there = "a token of these tests", "127.0.0.1:4711", "192.0.2.1:4711"
	tests := []struct {
		name    string
		token   string // of the server
		from    string
		headers []string

		status int
	}{
		{"from this machine", "", here, nil, 200},
		{"from this machine, by IPv6", "", "[::1]:4711", nil, 200},
		{"from this machine, by IPv4 in IPv6", "", "[::ffff:127.0.0.1]:4711", nil, 200},
		{"from elsewhere", "", there, nil, 404},
		{"from elsewhere, with a made-up token", "", there, []string{"Authorization", "Bearer " + token}, 404},
		{"through a proxy on this machine", "", here, []string{"X-Forwarded-For", "127.0.0.1"}, 404},
		{"through one that says less", "", here, []string{"Via", "1.1 proxy"}, 404},
		{"with the token", token, there, []string{"Authorization", "Bearer " + token}, 200},
		{"with the token, through a proxy", token, here, []string{"Authorization", "Bearer " + token, "X-Real-Ip", "192.0.2.1"}, 200},
		{"with another token", token, here, []string{"Authorization", "Bearer " + token + "!"}, 401},
		{"with a part of it", token, here, []string{"Authorization", "Bearer a token"}, 401},
		{"without it, from this machine", token, here, nil, 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newServer(func(c *api.Config) {
				c.Metrics, c.MetricsToken = telemetry.NewMetrics(telemetry.MetricsOptions{}), tt.token
			})
			s.ask(t, http.MethodPost, "/v1/sync/push", "rep", []byte(goodPush))
			s.ask(t, "BREW", "/v1/accounts/Acme", "", nil)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
			r.RemoteAddr = tt.from
			for i := 0; i < len(tt.headers); i += 2 {
				r.Header.Set(tt.headers[i], tt.headers[i+1])
			}
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, r)

			require.Equal(t, tt.status, w.Code, w.Body)
			if tt.status != http.StatusOK {
				require.NotContains(t, w.Body.String(), "roadbook_")
				return
			}
			require.Contains(t, w.Body.String(), `roadbook_request_seconds_count{route="POST /v1/sync/push",status="2xx"} 1`)
			require.Contains(t, w.Body.String(), `roadbook_request_seconds_count{route="unknown",status="4xx"} 1`)
			require.Contains(t, w.Body.String(), `roadbook_failures_total{kind="missing"} 1`)
			require.NotContains(t, w.Body.String(), "BREW")
			require.NotContains(t, w.Body.String(), "Acme")
		})
	}
}
