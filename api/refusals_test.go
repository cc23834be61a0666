package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// refuser answers every push and every pull with one refusal.
type refuser struct{ refusal *record.Refusal }

func (r refuser) Push(context.Context, access.Caller, *wire.Push) (*wire.PushAnswer, error) {
	return &wire.PushAnswer{Outcomes: []record.Outcome{{N: 1, Result: record.Refused, Refusal: r.refusal}}}, nil
}

func (refuser) Check(context.Context, access.Caller, *wire.CheckRequest) ([]byte, error) {
	return nil, nil
}

func (r refuser) Pull(_ context.Context, who access.Caller, _ *wire.PullRequest) ([]byte, error) {
	return json.Marshal(who.Say(r.refusal))
}

// Whichever way a refusal leaves, its fields speak the device's language.
func TestExplain_everyWayOut(t *testing.T) {
	t.Parallel()

	refusal := func() *record.Refusal {
		return &record.Refusal{Kind: errs.Clash, Code: "floor", Detail: "stock: this would fall below 0", Fields: []errs.Field{
			{Field: "stock", Detail: "this would fall below 0"},
		}}
	}
	kept := refusal()
	s := &Server{Config: Config{Line: refuser{kept}}}
	const (
		zh = `"detail":"剩余数量不足。stock：结果不能低于 0。","fields":[{"field":"stock","detail":"结果不能低于 0。"}]`
		en = `"detail":"stock: this would fall below 0","fields":[{"field":"stock","detail":"this would fall below 0"}]`
	)
	for lang, want := range map[words.Language]string{words.Chinese: zh, words.English: en} {
		pushed, err := s.push(t.Context(), &call{lang: lang, body: []byte(`{"replica":"k7f2"}`)})
		require.NoError(t, err)
		pulled, err := s.pull(t.Context(), &call{lang: lang, body: []byte(`{"replica":"k7f2"}`)})
		require.NoError(t, err)

		require.Contains(t, string(pushed.body), want)
		require.Contains(t, string(pulled.body), want)
		require.Equal(t, refusal(), kept, "the engine's own stay as they are")

		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		c.Request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		c.Request.Header.Set("Accept-Language", string(lang))
		s.Log = slog.New(slog.DiscardHandler)
		s.fail(c, errs.New("sync.check", errs.Clash, "%s", kept.Detail).Coded(kept.Code).Of(kept.Fields...))
		for member := range strings.SplitSeq(want, `,"fields"`) {
			require.Contains(t, w.Body.String(), member)
		}
	}
}

func TestStatuses_ofAllKinds(t *testing.T) {
	t.Parallel()

	for _, kind := range errs.Kinds() {
		require.NotZero(t, statuses[kind], kind)
	}
}
