package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/access"
)

// verdicts are the statuses of one route for each who may ask. all is every
// role that has no entry of its own.
type verdicts map[string]int

const (
	all       = "all"
	anonymous = "anonymous"
	expired   = "expired"
	visitor   = "visitor" // a role that nobody has been told about
)

var (
	everybody = verdicts{all: 200, anonymous: 200, expired: 200, visitor: 200}
	admins    = verdicts{all: 403, "admin": 200, anonymous: 401, expired: 401, visitor: 403}
	signedIn  = verdicts{all: 200, anonymous: 401, expired: 401, visitor: 403}
)

// matrix says who may what. A new route needs a line.
var matrix = map[string]struct {
	body string
	verdicts
}{
	"POST /v1/auth/login":                  {goodLogin, everybody},
	"POST /v1/auth/refresh":                {`{"refresh_token":"x"}`, everybody},
	"POST /v1/auth/logout":                 {"", verdicts{all: 204, anonymous: 401, expired: 401, visitor: 403}},
	"POST /v1/sync/push":                   {goodPush, signedIn},
	"POST /v1/sync/pull":                   {goodPull, signedIn},
	"POST /v1/sync/check":                  {`{"replica":"k7f2","cursor":"","sums":{}}`, signedIn},
	"GET /v1/sync/live":                    {"", verdicts{all: 400, anonymous: 401, expired: 401, visitor: 403}}, // not a websocket
	"GET /v1/today":                        {"", signedIn},
	"GET /v1/morning":                      {"", signedIn},
	"GET /v1/tasks/board":                  {"", signedIn},
	"GET /v1/conflicts":                    {"", signedIn},
	"POST /v1/conflicts/decide":            {`{"decisions":[{"conflict":"0199b6a0-0000-7000-8000-0000000000c1","keep":"mine"}]}`, signedIn},
	"POST /v1/approvals/decide":            {`{"decisions":[{"approval":"0199b6a0-0000-7000-8000-0000000000c1","decision":"approve"}]}`, signedIn},
	"POST /v1/flows/simulate":              {`{"body":"{}","about_kind":"opportunity"}`, admins},
	"GET /v1/reports/approval-cycle":       {"", signedIn},
	"GET /v1/refused":                      {"", signedIn},
	"GET /v1/records/{kind}":               {"", signedIn},
	"POST /v1/records/{kind}":              {`{"set":{"name":"x"}}`, signedIn},
	"GET /v1/records/{kind}/{id}":          {"", signedIn},
	"POST /v1/records/{kind}/{id}":         {`{"set":{"name":"x"}}`, signedIn},
	"DELETE /v1/records/{kind}/{id}":       {"", signedIn},
	"POST /v1/records/{kind}/{id}/delete":  {`{}`, signedIn},
	"POST /v1/records/{kind}/{id}/restore": {`{"field":"name","dot":{"replica":"k7f2","n":3}}`, signedIn},
	"GET /v1/records/{kind}/{id}/history":  {"", signedIn},
	"GET /v1/records/{kind}/{id}/timeline": {"", signedIn},
	"POST /v1/duplicates/check":            {`{"kind":"account","set":{"name":"x"}}`, signedIn},
	"GET /v1/duplicates/fingerprints":      {"", verdicts{all: 400, anonymous: 401, expired: 401, visitor: 403}}, // of which kind?
	"GET /v1/push/channels":                {"", signedIn},
	"POST /v1/push/channels":               {`{"channel":"fcm","token":"x"}`, signedIn},
	"POST /v1/push/channels/forget":        {`{"channel":"fcm"}`, signedIn},
	"GET /v1/push/deliveries":              {"", verdicts{all: 400, anonymous: 401, expired: 401, visitor: 403}}, // of which notification?
	"GET /v1/push/undelivered":             {"", admins},
	"POST /v1/push/undelivered/replay":     {`{"notifications":["0199b6a0-0000-7000-8000-0000000000c1"]}`, admins},
	"GET /docs":                            {"", everybody},
	"GET /docs/{asset}":                    {"", everybody},
	"GET /healthz":                         {"", everybody},
	"GET /readyz":                          {"", everybody},
	"GET /metrics":                         {"", verdicts{all: 404}}, // they ask from elsewhere
	"GET /openapi.yaml":                    {"", everybody},
	"GET /openapi.json":                    {"", everybody},
}

func TestMatrix(t *testing.T) {
	t.Parallel()

	s := newServer(nil)
	askers := []string{anonymous, expired, visitor}
	for _, role := range access.Roles() {
		askers = append(askers, string(role))
	}
	routes := s.Routes()
	require.Len(t, matrix, len(routes), "the matrix holds routes that are gone")
	for _, route := range routes {
		name := route.Method + " " + route.Path
		row, ok := matrix[name]
		require.True(t, ok, "%s has no line in the matrix", name)
		for _, who := range askers {
			t.Run(name+" as "+who, func(t *testing.T) {
				t.Parallel()

				want, own := row.verdicts[who]
				if !own {
					want = row.verdicts[all]
				}
				token := who
				if who == anonymous {
					token = ""
				}

				answer := s.ask(t, route.Method, filled(route.Path), token, []byte(row.body), "Idempotency-Key", lin.String())

				require.Equal(t, want, answer.StatusCode, text(t, answer))
				require.Equal(t, want == http.StatusUnauthorized, answer.Header.Get("WWW-Authenticate") != "")
			})
		}
	}
}
