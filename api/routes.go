package api

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"roadbook/access"
	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
)

// Route is one thing that can be asked, and the right that it takes.
type Route struct {
	Method  string
	Path    string
	Right   access.Right
	serve   endpoint
	maxBody int64         // decoded; 0: what comes is not read
	within  time.Duration // from the arrival of the body
}

// endpoint makes a route's last step, and its entry in the contract. What
// devices ask all day is plain; the rest is typed, and huma reads its
// parameters.
type endpoint func(*Server, Route) gin.HandlerFunc

// raw is a route that answers by itself, and as something else than HTTP.
func raw(serve func(*Server, *gin.Context)) endpoint {
	return func(s *Server, r Route) gin.HandlerFunc {
		s.contract.Add(r.listed())
		return func(c *gin.Context) { serve(s, c) }
	}
}

// Routes lists all of them: the whole product on one page.
func (s *Server) Routes() []Route {
	return []Route{
		{http.MethodPost, "/v1/auth/login", access.Public, plain(s.login), maxSmallBytes, requestTimeout},
		{http.MethodPost, "/v1/auth/refresh", access.Public, plain(s.refresh), maxSmallBytes, requestTimeout},
		{http.MethodPost, "/v1/auth/logout", access.Sync, plain(s.logout), 0, requestTimeout},

		{http.MethodPost, "/v1/sync/push", access.Sync, plain(s.push), wire.MaxPushBytes, requestTimeout},
		{http.MethodPost, "/v1/sync/pull", access.Sync, plain(s.pull), wire.MaxPullBytes, pullTimeout},
		{http.MethodPost, "/v1/sync/check", access.Sync, plain(s.check), wire.MaxCheckBytes, requestTimeout},
		{http.MethodGet, "/v1/sync/live", access.Sync, raw((*Server).live), 0, requestTimeout},

		{http.MethodGet, "/v1/today", access.Sync, typed(s.today), 0, requestTimeout},
		{http.MethodGet, "/v1/tasks/board", access.Sync, typed(s.board), 0, requestTimeout},
		{http.MethodGet, "/v1/morning", access.Sync, typed(s.morning), 0, requestTimeout},
		{http.MethodGet, "/v1/conflicts", access.Sync, typed(s.inbox), 0, requestTimeout},
		{http.MethodPost, "/v1/conflicts/decide", access.Sync, typed(s.decide), record.MaxMutationBytes, requestTimeout},
		{http.MethodGet, "/v1/refused", access.Sync, typed(s.refused), 0, requestTimeout},
		{http.MethodGet, "/v1/records/{kind}", access.Sync, typed(s.listRecords), 0, requestTimeout},
		{http.MethodPost, "/v1/records/{kind}", access.Sync, typed(s.createRecord), record.MaxMutationBytes, requestTimeout},
		{http.MethodGet, "/v1/records/{kind}/{id}", access.Sync, typed(s.getRecord), 0, requestTimeout},
		{http.MethodPost, "/v1/records/{kind}/{id}", access.Sync, typed(s.editRecord), record.MaxMutationBytes, requestTimeout},
		{http.MethodDelete, "/v1/records/{kind}/{id}", access.Sync, typed(s.deleteRecord), 0, requestTimeout},
		{http.MethodPost, "/v1/records/{kind}/{id}/delete", access.Sync, typed(s.deleteByPost), maxSmallBytes, requestTimeout},
		{http.MethodPost, "/v1/records/{kind}/{id}/restore", access.Sync, typed(s.restoreField), maxSmallBytes, requestTimeout},
		{http.MethodGet, "/v1/records/{kind}/{id}/history", access.Sync, typed(s.recordHistory), 0, requestTimeout},
		{http.MethodGet, "/v1/records/{kind}/{id}/timeline", access.Sync, typed(s.recordTimeline), 0, requestTimeout},

		{http.MethodPost, "/v1/approvals/decide", access.Sync, typed(s.approve), record.MaxMutationBytes, requestTimeout},
		{http.MethodPost, "/v1/flows/simulate", access.Administer, typed(s.simulate), record.MaxMutationBytes, requestTimeout},
		{http.MethodGet, "/v1/reports/approval-cycle", access.Sync, typed(s.cycle), 0, requestTimeout},

		{http.MethodPost, "/v1/duplicates/check", access.Sync, typed(s.checkDuplicates), maxSmallBytes, requestTimeout},
		{http.MethodGet, "/v1/duplicates/fingerprints", access.Sync, typed(s.fingerprints), 0, requestTimeout},

		{http.MethodGet, "/v1/push/channels", access.Sync, typed(s.ways), 0, requestTimeout},
		{http.MethodPost, "/v1/push/channels", access.Sync, typed(s.register), maxSmallBytes, requestTimeout},
		{http.MethodPost, "/v1/push/channels/forget", access.Sync, typed(s.unregister), maxSmallBytes, requestTimeout},
		{http.MethodGet, "/v1/push/deliveries", access.Sync, typed(s.deliveries), 0, requestTimeout},
		{http.MethodGet, "/v1/push/undelivered", access.Administer, typed(s.undelivered), 0, requestTimeout},
		{http.MethodPost, "/v1/push/undelivered/replay", access.Administer, typed(s.replay), maxSmallBytes, requestTimeout},

		{http.MethodGet, "/healthz", access.Public, typed(s.healthz), 0, requestTimeout},
		{http.MethodGet, "/readyz", access.Public, typed(s.readyz), 0, readyTimeout},
		{http.MethodGet, "/metrics", access.Monitor, plain(s.metrics), 0, requestTimeout},
		{http.MethodGet, "/openapi.yaml", access.Public, plain(s.openapiYAML), 0, requestTimeout},
		{http.MethodGet, "/openapi.json", access.Public, plain(s.openapiJSON), 0, requestTimeout},
		{http.MethodGet, "/docs", access.Public, plain(s.docs), 0, requestTimeout},
		{http.MethodGet, "/docs/{asset}", access.Public, typed(s.docsAsset), 0, requestTimeout},
	}
}

// mount lists the steps of a request, in their order. The first three are
// taken by every request, also by one that finds no route; log stands before
// recovery, so that a panic has its line too.
func (s *Server) mount(engine *gin.Engine) {
	engine.Use(
		s.identify,
		s.log,
		s.recovery,
	)
	for _, r := range s.Routes() {
		steps := []gin.HandlerFunc{
			s.limit(r.maxBody),
			s.authenticate(r.Right),
			s.permit(r.Right),
			r.serve(s, r),
		}
		engine.Handle(r.Method, ginPath(r.Path), steps...)
		if r.Method == http.MethodGet {
			engine.HEAD(ginPath(r.Path), steps...)
		}
	}
	engine.NoRoute(s.noRoute)
	engine.NoMethod(s.noMethod)
}

// ginPath writes /{id} as /:id.
func ginPath(path string) string {
	return strings.NewReplacer("{", ":", "}", "").Replace(path)
}

func (s *Server) noRoute(c *gin.Context) {
	s.fail(c, coded("api.route", errs.Missing, "route"))
}

// noMethod also answers OPTIONS. gin has listed in Allow what is possible.
func (s *Server) noMethod(c *gin.Context) {
	allowed := strings.Split(c.Writer.Header().Get("Allow"), ", ")
	slices.Sort(allowed)
	c.Header("Allow", strings.Join(append(allowed, http.MethodOptions), ", "))
	if c.Request.Method == http.MethodOptions {
		c.AbortWithStatus(http.StatusNoContent)
		return
	}
	s.fail(c, coded("api.route", errs.Invalid, "method"))
}
