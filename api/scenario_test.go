package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// scenario is a request, who asks, and what the answer must and must not be.
type scenario struct {
	name    string
	with    func(*api.Config)
	request string // "POST /v1/sync/push"
	as      string
	body    string
	headers []string

	status  int
	has     []string
	hasNot  []string
	carries []string // headers and their values
	logs    []string
}

func TestScenarios(t *testing.T) {
	t.Parallel()

	for _, tt := range slicesOf(signInScenarios(), syncScenarios(), aroundScenarios(), failureScenarios()) {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newServer(tt.with)
			method, path, _ := strings.Cut(tt.request, " ")
			answer := s.ask(t, method, path, tt.as, []byte(tt.body), tt.headers...)
			got := text(t, answer)

			require.Equal(t, tt.status, answer.StatusCode, got)
			for _, want := range tt.has {
				require.Contains(t, got, want)
			}
			for _, not := range tt.hasNot {
				require.NotContains(t, got, not)
			}
			for i := 0; i < len(tt.carries); i += 2 {
				require.Equal(t, tt.carries[i+1], answer.Header.Get(tt.carries[i]), tt.carries[i])
			}
			for _, want := range tt.logs {
				require.Contains(t, s.log.String(), want)
			}
			require.NotEmpty(t, answer.Header.Get("X-Request-Id"))
			if answer.StatusCode >= 400 && method != http.MethodHead {
				require.Equal(t, "application/problem+json", answer.Header.Get("Content-Type"))
			}
		})
	}
}

func slicesOf(lists ...[]scenario) []scenario {
	var all []scenario
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func signInScenarios() []scenario {
	refuse := func(err error) func(*api.Config) {
		return func(c *api.Config) { c.SignIn = signIn{err: err} }
	}
	return []scenario{
		{
			name: "a sign-in", request: "POST /v1/auth/login", body: goodLogin,
			status: 200, has: []string{`"access_token":"lin@192.0.2.1"`, `"next_n":1`},
			carries: []string{"Cache-Control", "no-store", "Content-Type", "application/json", "X-Content-Type-Options", "nosniff"},
		},
		{
			name: "a forged address is not believed", request: "POST /v1/auth/login", body: goodLogin,
			headers: []string{"X-Forwarded-For", "9.9.9.9", "X-Real-Ip", "9.9.9.9"},
			status:  200, has: []string{"lin@192.0.2.1"},
		},
		{
			name: "a trusted proxy's word is", request: "POST /v1/auth/login", body: goodLogin,
			with:    func(c *api.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
			headers: []string{"X-Forwarded-For", "9.9.9.9"},
			status:  200, has: []string{"lin@9.9.9.9"},
		},
		{
			name: "a wrong password", request: "POST /v1/auth/login", body: goodLogin,
			with:   refuse(errs.New("people.Login", errs.Anonymous, "the name or the password is wrong").Coded("password")),
			status: 401, has: []string{`"kind":"anonymous"`, `"code":"password"`, `"detail":"the name or the password is wrong"`, `"request_id":"r1"`},
			hasNot: []string{"secret", "people.Login"},
		},
		{
			name: "too many of them, with the wait that the error knows", request: "POST /v1/auth/login", body: goodLogin,
			with:    refuse(errs.New("people.Login", errs.Limited, "wait").Coded("locked").Because(waitError(89500 * time.Millisecond))),
			headers: []string{"Accept-Language", "zh-CN,zh;q=0.9"},
			status:  429, has: []string{`"code":"locked"`, "密码错误次数过多"},
			carries: []string{"Retry-After", "90", "Content-Language", "zh"},
		},
		{
			name: "text where an object belongs", request: "POST /v1/auth/login", body: `{"org":"demo","device":"phone"}`,
			status: 400, has: []string{`"code":"type"`, `{"field":"device","detail":"must be an object"}`}, hasNot: []string{"wire."},
		},
		{name: "no JSON", request: "POST /v1/auth/login", body: `hello`, status: 400, has: []string{`"code":"malformed"`}},
		{name: "nothing", request: "POST /v1/auth/refresh", body: ``, status: 400, has: []string{`"code":"malformed"`}},
		{name: "two values", request: "POST /v1/auth/refresh", body: `{} {}`, status: 400, has: []string{`"code":"malformed"`}},
		{name: "a list", request: "POST /v1/auth/refresh", body: `[]`, status: 400, has: []string{`"code":"malformed"`}},
		{name: "no UTF-8", request: "POST /v1/auth/login", body: "{\"user\":\"\xff\"}", status: 400, has: []string{`"code":"utf8"`}},
		{name: "NUL", request: "POST /v1/auth/login", body: `{"user":"a\u0000"}`, status: 400, has: []string{`"code":"nul"`}},
		{name: "no NUL, but a backslash", request: "POST /v1/auth/login", body: `{"user":"a\\u0000"}`, status: 200, has: []string{`a\\u0000@`}},
		{
			name: "members from the future are ignored", request: "POST /v1/auth/refresh", body: `{"refresh_token":"<&>","mood":{"a":[1]}}`,
			status: 200, has: []string{`next of <&>`},
		},
		{name: "a sign-out", request: "POST /v1/auth/logout", as: "rep", status: 204, carries: []string{"Cache-Control", "no-store"}},
		{name: "a sign-out with a body", request: "POST /v1/auth/logout", as: "rep", body: "{", status: 204},
		{
			name: "no token, in Chinese", request: "POST /v1/auth/logout", headers: []string{"Accept-Language", "zh-TW"},
			status: 401, has: []string{`"title":"请先登录"`, `"code":"token"`, "请先登录。"}, carries: []string{"WWW-Authenticate", "Bearer"},
		},
		{name: "another scheme", request: "POST /v1/auth/logout", headers: []string{"Authorization", "Basic rep"}, status: 401},
		{name: "a lower-case scheme", request: "POST /v1/auth/logout", headers: []string{"Authorization", "bearer rep"}, status: 204},
	}
}

func syncScenarios() []scenario {
	stale := func(code string) func(*api.Config) {
		return pulling(nil, errs.New("sync.Pull", errs.Stale, "start over").Coded(code))
	}
	refused := &record.Refusal{Kind: errs.Invalid, Code: "required", Detail: "the name is missing"}
	verdicts := []record.Outcome{{N: 1, ID: lin, Result: record.Applied, Seq: 9}, {N: 2, ID: lin, Result: record.Refused, Seq: 10, Refusal: refused}}
	return []scenario{
		{
			name: "a push", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			status: 200, has: []string{`"outcomes":[]`, `"next_n":7`},
			logs: []string{`"op":"POST /v1/sync/push"`, `"status":200`, `"org":7`, `"actor":"` + lin.String(), `"replica":"k7f2"`, `"request_id":"r1"`},
		},
		{
			name: "refusals in Chinese", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			with: pushing(&wire.PushAnswer{Outcomes: verdicts}, nil), headers: []string{"Accept-Language", "zh"},
			status: 200, has: []string{`"detail":"有必填项没有填写。"`, `"n":1,`}, hasNot: []string{"the name is missing"},
		},
		{
			name: "refusals in English", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			with: pushing(&wire.PushAnswer{Outcomes: verdicts}, nil), status: 200, has: []string{`"detail":"the name is missing"`},
		},
		{name: "a push that is none", request: "POST /v1/sync/push", as: "rep", body: `[]`, status: 400, has: []string{`"kind":"invalid"`, `"code":"envelope"`}},
		{
			name: "a hole", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			with:   pushing(nil, errs.New("sync.Push", errs.Clash, "n 5 is missing").Coded("hole").Because(extra{wire.Problem{Status: 1, Kind: "x", NextN: 5}})),
			status: 409, has: []string{`"status":409`, `"kind":"clash"`, `"code":"hole"`, `"next_n":5}`}, hasNot: []string{`"status":1,`, `"kind":"x"`},
		},
		{
			name: "a fork, in Chinese", request: "POST /v1/sync/push", as: "rep", body: goodPush, headers: []string{"Accept-Language", "zh"},
			with: pushing(nil, fmt.Errorf("push: %w", errs.New("sync.Push", errs.Clash, "forked").Coded("fork").Because(extra{&wire.Problem{
				Outcomes: verdicts, FromN: 7, Replica: "m3x9", NextN: 1, IDs: map[string]string{"5": "a"},
			}}))),
			status: 409,
			has:    []string{`"code":"fork"`, `"from_n":7`, `"replica":"m3x9"`, `"next_n":1`, `"ids":{"5":"a"}`, "有必填项没有填写", "新的设备标识"},
		},
		{
			name: "an extra that is no object", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			with:   pushing(nil, errs.New("sync.Push", errs.Clash, "odd").Because(extra{[]int{1}})),
			status: 409, has: []string{`"detail":"odd"`}, logs: []string{`"level":"ERROR"`},
		},
		{
			name: "an internal error keeps its extras", request: "POST /v1/sync/push", as: "rep", body: goodPush,
			with:   pushing(nil, fmt.Errorf("disk full: %w", extra{&wire.Problem{NextN: 5}})),
			status: 500, hasNot: []string{"next_n", "disk"},
		},
		{
			name: "a pull", request: "POST /v1/sync/pull", as: "manager", body: goodPull,
			status: 200, has: []string{`{"changes":[],"complete":true}`}, carries: []string{"Content-Type", "application/json"},
		},
		{name: "a pull that is none", request: "POST /v1/sync/pull", as: "rep", body: `{"replica":"k7f2","wait_ms":"long"}`, status: 400, has: []string{`wait_ms`}},
		{name: "foreign", request: "POST /v1/sync/pull", as: "rep", body: goodPull, with: stale("foreign"), status: 410, has: []string{`"kind":"stale"`, `"code":"foreign"`, `"do":["resync","outbox"]`}},
		{name: "horizon", request: "POST /v1/sync/pull", as: "rep", body: goodPull, with: stale("horizon"), status: 410, has: []string{`"do":["resync","outbox"]`}},
		{name: "epoch", request: "POST /v1/sync/pull", as: "rep", body: goodPull, with: stale("epoch"), status: 410, has: []string{`"do":["journal","resync","outbox"]`}},
		{name: "rewound", request: "POST /v1/sync/pull", as: "rep", body: goodPull, with: stale("rewound"), status: 410, has: []string{`"do":["journal","resync","outbox"]`}},
		{
			name: "rewound, with what the engine knows", request: "POST /v1/sync/pull", as: "rep", body: goodPull,
			with:   pulling(nil, errs.New("sync.Pull", errs.Stale, "back").Coded("rewound").Because(extra{map[string]any{"epoch": "e2", "judged": map[string]int{"k7f2": 30}, "do": []string{"journal"}}})),
			status: 410, has: []string{`"epoch":"e2"`, `"judged":{"k7f2":30}`, `"do":["journal"]`},
		},
	}
}

func aroundScenarios() []scenario {
	return []scenario{
		{name: "alive", request: "GET /healthz", status: 200, has: []string{`{"status":"ok"}`}, logs: []string{`"level":"DEBUG"`}},
		{name: "alive, by HEAD", request: "HEAD /healthz", status: 200},
		{name: "ready", request: "GET /readyz", status: 200, has: []string{`"ok"`}},
		{
			name: "about to stop", request: "GET /readyz", with: func(c *api.Config) {
				c.Ready = func(context.Context) error { return errs.New("gate", errs.Busy, "bye").Coded("stopping") }
			},
			status: 503, has: []string{`"code":"stopping"`}, carries: []string{"Retry-After", "5"},
		},
		{
			name: "not ready", request: "GET /readyz", with: func(c *api.Config) { c.Ready = func(context.Context) error { return errors.New("5432 refused") } },
			status: 503, has: []string{`"kind":"busy"`, `"code":"starting"`}, hasNot: []string{"5432"}, carries: []string{"Retry-After", "5"}, logs: []string{"5432"},
		},
		{name: "the contract", request: "GET /openapi.yaml", status: 200, has: []string{"openapi: 3.1.0"}, carries: []string{"Content-Type", "application/yaml; charset=utf-8"}},
		{name: "no such route", request: "GET /v1/secrets/13800138000", status: 404, has: []string{`"kind":"missing"`, `"code":"route"`}, hasNot: []string{"13800138000"}, logs: []string{`"op":"GET unknown"`}},
		{name: "no redirect for a slash", request: "POST /v1/sync/push/", as: "rep", status: 404},
		{name: "no such method", request: "PATCH /v1/sync/push", as: "rep", status: 405, has: []string{`"kind":"invalid"`, `"code":"method"`}, carries: []string{"Allow", "POST, OPTIONS"}},
		{name: "GET of a push", request: "GET /v1/sync/push", as: "rep", status: 405},
		{name: "options", request: "OPTIONS /readyz", status: 204, carries: []string{"Allow", "GET, HEAD, OPTIONS"}},
		{name: "options of nothing", request: "OPTIONS /nothing", status: 404},
		{name: "a name for the request", request: "GET /healthz", headers: []string{"X-Request-Id", "phone-1.42_a"}, status: 200, carries: []string{"X-Request-Id", "phone-1.42_a"}},
		{name: "a name that is an attack", request: "GET /healthz", headers: []string{"X-Request-Id", `r2","level":"x`}, status: 200, carries: []string{"X-Request-Id", "r1"}},
		{name: "a name that is too long", request: "GET /healthz", headers: []string{"X-Request-Id", strings.Repeat("a", 65)}, status: 200, carries: []string{"X-Request-Id", "r1"}},
	}
}

func failureScenarios() []scenario {
	fail := func(name string, err error, status int, has ...string) scenario {
		return scenario{
			name: name, request: "POST /v1/sync/pull", as: "rep", body: goodPull, with: pulling(nil, err),
			status: status, has: has, hasNot: []string{"SELECT", "goroutine", "sync.Pull"},
		}
	}
	kinds := []scenario{
		fail("unclassified", errors.New("SELECT secret FROM orgs"), 500, `"kind":"internal"`, `"title":"Something went wrong on our side"`, `"request_id":"r1"`),
		fail("classified as internal", errs.New("sync.Pull", errs.Internal, "SELECT"), 500, `"kind":"internal"`),
		fail("a kind that nobody knows", errs.New("sync.Pull", "surprised", "SELECT"), 500, `"kind":"internal"`),
		fail("invalid", errs.New("sync.Pull", errs.Invalid, "no").Of(errs.Field{Field: "want.pins", Detail: "at most 20"}), 400, `"fields":[{"field":"want.pins","detail":"at most 20"}]`),
		fail("denied", errs.New("sync.Pull", errs.Denied, "no"), 403, `"kind":"denied"`),
		fail("missing", errs.New("sync.Pull", errs.Missing, "no"), 404, `"kind":"missing"`),
		fail("clash", errs.New("sync.Pull", errs.Clash, "no"), 409, `"kind":"clash"`),
		fail("limited", errs.New("sync.Pull", errs.Limited, "no"), 429, `"kind":"limited"`),
		fail("busy", errs.New("sync.Pull", errs.Busy, "no").Because(errors.New("SELECT")), 503, `"kind":"busy"`, `"detail":"no"`),
		fail("no sentence at all", errs.New("sync.Pull", errs.Denied, ""), 403, `You do not have the right`),
		fail("out of time", fmt.Errorf("SELECT: %w", context.DeadlineExceeded), 503, `"code":"timeout"`),
		fail("broken off", errs.New("sync.Pull", errs.Internal, "x").Because(context.Canceled), 503, `"code":"cut"`),
		fail("size by the engine", errs.New("sync.Pull", errs.Invalid, "no").Coded("size"), 413, `"code":"size"`),
		fail("a clash called size is a clash", errs.New("sync.Pull", errs.Clash, "no").Coded("size"), 409),
	}
	kinds[0].logs = []string{`"level":"ERROR"`, `"err":"SELECT secret FROM orgs"`}
	kinds[5].logs = []string{`"level":"INFO"`, `"kind":"missing"`}
	kinds[7].carries = []string{"Retry-After", "30"}
	kinds[8].carries = []string{"Retry-After", "5"}
	chinese := fail("Chinese without a code is better than nothing", errs.New("sync.Pull", errs.Denied, "no"), 403, `"title":"没有权限"`, `"detail":"no"`)
	chinese.headers = []string{"Accept-Language", "zh"}
	internal := fail("our fault, in Chinese", errors.New("SELECT"), 500, "服务器出了点问题")
	internal.headers = []string{"Accept-Language", "zh"}
	panics := scenario{
		name: "a panic", request: "POST /v1/sync/pull", as: "rep", body: goodPull,
		with: func(c *api.Config) {
			c.Line = line{pull: func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) { panic("SELECT") }}
		},
		status: 500, has: []string{`"kind":"internal"`, `"request_id":"r1"`}, hasNot: []string{"SELECT", "goroutine"},
		logs: []string{`"level":"ERROR"`, "panic: SELECT", "scenario_test.go", `"org":7`, `"msg":"request","op":"POST /v1/sync/pull","status":500`},
	}
	return append(kinds, chinese, internal, panics)
}

// pushing answers every push alike.
func pushing(answer *wire.PushAnswer, err error) func(*api.Config) {
	return func(c *api.Config) {
		c.Line = line{push: func(context.Context, access.Caller, *wire.Push) (*wire.PushAnswer, error) { return answer, err }}
	}
}

// pulling answers every pull alike.
func pulling(page []byte, err error) func(*api.Config) {
	return func(c *api.Config) {
		c.Line = line{pull: func(context.Context, access.Caller, *wire.PullRequest) ([]byte, error) { return page, err }}
	}
}

type extra struct{ value any }

func (e extra) Error() string { return "with extra members" }
func (e extra) Extra() any    { return e.value }

type waitError time.Duration

func (e waitError) Error() string             { return "wait" }
func (e waitError) RetryAfter() time.Duration { return time.Duration(e) }
