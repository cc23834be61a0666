package contract

import (
	"cmp"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

const description = `The backend of people who sell on the road. A device keeps what it may see, edits it without a network, and exchanges
changes when it can: it signs in once, pushes its outbox and pulls what is new. Who is online may use the records routes instead.

Names are never taken away within /v1. Further members may appear anywhere; whoever reads ignores what he does not know. Times are
RFC 3339 in UTC; sequences are decimal strings, because they outgrow what JavaScript counts.

Request bodies may be compressed with gzip or zstd (` + "`Content-Encoding`" + `); answers are when ` + "`Accept-Encoding`" + ` asks for it.
Errors are application/problem+json in the language of ` + "`Accept-Language`" + `, zh or en. Every answer names its request in ` + "`X-Request-Id`" + `.

` + "`x-right`" + ` is the right that a route takes, ` + "`x-max-body-bytes`" + ` what it reads, ` + "`x-timeout-seconds`" + ` how long it may take.`

var tags = []*huma.Tag{
	{Name: "sign-in", Description: "Who, on which device."},
	{Name: "sync", Description: "For devices that keep a store of their own."},
	{Name: "records", Description: "For clients that are online. A list and a record show what the caller may see by his grants."},
	{Name: "inbox", Description: "What waits for a decision, and what was refused."},
	{Name: "approvals", Description: "What counts only when somebody has said yes."},
	{Name: "notifications", Description: "How devices are reached when nobody looks at them."},
	{Name: "around", Description: "Health, and this document."},
}

// operation is what a route's types cannot say. A typed route names no out, and
// in only if it reads its body itself.
type operation struct {
	id, tag              string
	summary, description string
	in                   reflect.Type
	takes                string // said of the body
	out                  reflect.Type
	answers              string // said of the answer
	media                string // of an answer that is not JSON
	status               int    // of success, unless it is 200
	fails                []int  // beside those that the right and the body imply
}

func (o operation) success() int { return cmp.Or(o.status, http.StatusOK) }

const (
	keyed = "The Idempotency-Key makes it safe to send again: the same key gets the verdict of the first time, and with other content it is " +
		"refused as `rewritten`. A change that is refused is answered as a problem, with the outcome in `outcomes`."
	written = "The verdict, and the record as it now is unless it is gone."
)

// writing is what may become of a change.
var writing = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}

// operations has an entry for each route.
var operations = map[string]operation{
	"POST /v1/auth/login": {
		id: "login", tag: "sign-in", summary: "Sign a person in on a device.",
		description: "`install` is made with the local store and dies with it; the same install gets the same replica. A device whose own mutation " +
			"at `next_n` - 1 has another id than `judged_id`, or whose store is new, asks with `fresh` for a new one.",
		in: reflect.TypeFor[wire.LoginRequest](), out: reflect.TypeFor[wire.LoginAnswer](), answers: "Signed in.",
		fails: []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	},
	"POST /v1/auth/refresh": {
		id: "refresh", tag: "sign-in", summary: "Get new tokens for old.",
		description: "A refresh token may be used again by the same install until its successor has been used, so an answer that was lost costs nothing.",
		in:          reflect.TypeFor[wire.RefreshRequest](), out: reflect.TypeFor[wire.RefreshAnswer](), answers: "New tokens.",
		fails: []int{http.StatusUnauthorized},
	},
	"POST /v1/auth/logout": {
		id: "logout", tag: "sign-in", summary: "End the tokens of this device.",
		description: "The outbox of the device is untouched. A body is not read.",
		answers:     "Signed out.", status: http.StatusNoContent,
	},
	"POST /v1/sync/push": {
		id: "push", tag: "sync", summary: "Send the outbox.",
		description: "Mutations are judged one by one, in the order of n; a refused one never holds up its neighbours and the status stays 200. " +
			"Sending the same bytes again is harmless and answers with the verdicts of the first time. A push that has arrived is judged even if nobody waits " +
			"for the answer.\n\n409 with code `hole`: mutations before the first are missing; send from `next_n`. 409 with code `fork`: this device was restored " +
			"or copied; `outcomes` are those of the matching prefix, from `from_n` it writes as `replica`, beginning with `next_n`, and `ids` tells which of " +
			"its numbers the server knows under which id.",
		in: reflect.TypeFor[wire.Push](), takes: "At most 500 mutations and 8 MiB, decompressed.",
		out: reflect.TypeFor[wire.PushAnswer](), answers: "The verdicts.",
		fails: []int{http.StatusConflict, http.StatusGone, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	},
	"POST /v1/sync/pull": {
		id: "pull", tag: "sync", summary: "Ask for what is new.",
		description: "One page. Ask again with the new cursor until `complete` is true and `filling` is false. Apply `drop_scopes`, then `withdraw`, " +
			"then `changes`. `wait_ms` lets the server wait for something to send.",
		in: reflect.TypeFor[wire.PullRequest](), out: reflect.TypeFor[wire.PullAnswer](), answers: "A page.",
		fails: []int{http.StatusGone, http.StatusServiceUnavailable},
	},
	"POST /v1/sync/check": {
		id: "check", tag: "sync", summary: "Compare what is held with what must be held.",
		description: "For a device that was away for too long, whose server was restored, or that doubts what it has. The first question has `sums`, the " +
			"sums of the leaves of each scope; `differ` in the answer names the leaves that differ, and `cursor` is where to go on once they are mended. " +
			"The further questions carry that cursor and, in `leaves`, what the device has in some of these; the answer's `changes` mend them, and `differ` names " +
			"those that it had no room for. Apply `drop_scopes`, `want` and `changes`; when nothing differs any more, take the cursor and pull.",
		in: reflect.TypeFor[wire.CheckRequest](), takes: "At most 2,000 scopes and 8 MiB, decompressed.",
		out: reflect.TypeFor[wire.PullAnswer](), answers: "What differs, or what mends it.",
		fails: []int{http.StatusGone, http.StatusServiceUnavailable},
	},
	"GET /v1/sync/live": {
		id: "live", tag: "sync", summary: "Hear at once what is new.", status: http.StatusSwitchingProtocols,
		description: "A websocket. The token is in `Authorization` or, from a browser, in the subprotocol `bearer.<token>`. The device says " +
			"`{\"t\":\"cursor\",\"cursor\":\"…\",\"replica\":\"…\"}` and is sent `{\"t\":\"changes\",\"from\":\"…\", …}` with the members of a pull's " +
			"answer, or `{\"t\":\"wake\",\"seq\":\"…\"}`: pull. `{\"t\":\"ping\"}` is answered with `{\"t\":\"pong\"}`. docs/protocol.md has the close " +
			"codes. A device that never listens misses nothing that a pull does not bring.",
		answers: "Listening.", fails: []int{http.StatusServiceUnavailable},
	},
	"GET /v1/today": {
		id: "today", tag: "records", summary: "The day at a glance.",
		description: "What is planned for the day, what is next, what is due and what waits for a decision, with the accounts that all this is about, in at most 30 KB.",
		answers:     "The day.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/tasks/board": {
		id: "board", tag: "records", summary: "Who has how much to do.",
		description: "The tasks that are open or being done and that the caller may see, counted by person, and how many of them are overdue; up to 20,000.",
		answers:     "The counts.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/morning": {
		id: "morning", tag: "records", summary: "What is needed of the next two days without a network.",
		description: "The plan with its customers and their contacts, approvals that wait, tasks and reminders, in at most 256 KB: what a mini-program is fetched " +
			"in the background. What has no room is cut from the end of that order, and `left_off` says how much. With `If-None-Match` 304 says that it still stands.",
		answers: "The pack.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/conflicts": {
		id: "inbox", tag: "inbox", summary: "What waits for a decision, by customer.",
		description: "Each conflict with what stood before, and of each version who wrote it, on which device and when. A page may hold fewer than `limit` and " +
			"still not be the last: the list ends where `after` is missing. A customer whose conflicts lie on two pages is on both.",
		answers: "A page.", fails: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable},
	},
	"POST /v1/conflicts/decide": {
		id: "decide", tag: "inbox", summary: "Decide conflicts, up to a hundred at once.",
		description: "Each decision is a change of its own, with a verdict of its own. `keep` is `mine`, `theirs`, `both` (of texts and lists), `this` with a `version`, or " +
			"`other` with a `value`. `seen` is the `seq` of the record as it was read. Of a conflict that somebody else has decided first the outcome is `merged`, with a " +
			"clash `decided` that says who and when. " + keyed,
		in: reflect.TypeFor[Deciding](), answers: "A result for each, in order.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"POST /v1/approvals/decide": {
		id: "approve", tag: "approvals", summary: "Decide approvals, up to a hundred at once.",
		description: "Each decision is a change of its own. `outcome` says whether it counts; `told` who was first, or what has changed since. `seen` is the `seq` of the " +
			"record, or of the approval, as it was read. With more than one, those that are to be decided by themselves are not taken. " + keyed,
		in: reflect.TypeFor[Words](), answers: "A result for each, in order.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"POST /v1/flows/simulate": {
		id: "simulate", tag: "approvals", summary: "Try a flow on a record or a sample, with nothing written and nobody told.",
		description: "`flow` is one that is there, also a draft; or `body` is its text, about `about_kind`. `set` is a sample, or what is to be otherwise of `record`.",
		in:          reflect.TypeFor[approvals.Trial](), answers: "Whether it begins, and whom each step asks if everybody agrees.",
		fails: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable},
	},
	"GET /v1/reports/approval-cycle": {
		id: "approvalCycle", tag: "approvals", summary: "How long do approvals take?",
		description: "By flow and node, of the latest five thousand that the caller may see. `offline` is the time from a decision to its arrival.",
		answers:     "Counts, and times in seconds.", fails: []int{http.StatusServiceUnavailable},
	},
	"GET /v1/refused": {
		id: "refused", tag: "inbox", summary: "What was refused, or waits, the newest first.",
		description: "The caller's own and, for managers and administrators, that of the people below them: why, what to do about it, and what it was to change as far as the " +
			"caller may see that today. A page may hold fewer than `limit` and still not be the last: the list ends where `after` is missing.",
		answers: "A page.", fails: []int{http.StatusBadRequest},
	},
	"GET /v1/records/{kind}": {
		id: "listRecords", tag: "records", summary: "List records of a kind.",
		description: "A page may hold fewer than `limit`, or none, and still not be the last: the list ends where `after` is missing.",
		answers:     "A page.", fails: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable},
	},
	"GET /v1/records/{kind}/{id}": {
		id: "getRecord", tag: "records", summary: "Read one record.",
		description: "With `If-None-Match` and the ETag of an earlier answer: 304 if nothing that the caller may see has changed.",
		answers:     "The record.", fails: []int{http.StatusBadRequest, http.StatusNotFound},
	},
	"POST /v1/records/{kind}": {
		id: "createRecord", tag: "records", summary: "Create a record.",
		description: "Without an `id` the record gets that of the Idempotency-Key. " + keyed,
		in:          reflect.TypeFor[Creation](), answers: written, fails: writing,
	},
	"POST /v1/records/{kind}/{id}": {
		id: "editRecord", tag: "records", summary: "Edit a record.",
		description: "`seen` is what its author had read: `{\"log\": seq}` with the seq of the record. What others have changed since is settled " +
			"field by field. " + keyed,
		in: reflect.TypeFor[Editing](), answers: written, fails: writing,
	},
	"DELETE /v1/records/{kind}/{id}": {
		id: "deleteRecord", tag: "records", summary: "Delete a record.", description: keyed, answers: written, fails: writing,
	},
	"POST /v1/records/{kind}/{id}/delete": {
		id: "deleteRecordByPost", tag: "records", summary: "Delete a record, for clients that know GET and POST only.", description: keyed,
		in: reflect.TypeFor[Deletion](), answers: written, fails: writing,
	},
	"POST /v1/records/{kind}/{id}/restore": {
		id: "restoreField", tag: "records", summary: "Bring back what stood in a field.",
		description: "Writes the value that the mutation `dot` gave to the field, or wanted to give it, once more. " + keyed,
		in:          reflect.TypeFor[Restoring](), answers: written, fails: writing,
	},
	"GET /v1/records/{kind}/{id}/history": {
		id: "recordHistory", tag: "records", summary: "Who changed what, the newest first.",
		answers: "A part of the history. It ends where `after` is missing.", fails: []int{http.StatusBadRequest, http.StatusNotFound},
	},
	"GET /v1/records/{kind}/{id}/timeline": {
		id: "recordTimeline", tag: "records", summary: "What happened around a record, the newest first.",
		answers: "A part of the timeline. It ends where `after` is missing.", fails: []int{http.StatusBadRequest, http.StatusNotFound},
	},
	"POST /v1/duplicates/check": {
		id: "checkDuplicates", tag: "records", summary: "Is there a record like this one?",
		description: "For a form that somebody is filling in. Of a record that the caller may not see he is told which fields are equal, and a hint.",
		in:          reflect.TypeFor[Likeness](), answers: "What is alike, at most 20.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/duplicates/fingerprints": {
		id: "fingerprints", tag: "records", summary: "All keys of a kind, for devices without a signal.",
		description: "A binary fuse filter of 8 bits over hashed keys, with the org's salt. One of 256 keys that are not there seems to be. " +
			"With `If-None-Match`: 304 if it is the same. It is made anew every ten minutes at most.",
		answers: "The sieve.", media: "application/octet-stream", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/push/channels": {
		id: "ways", tag: "notifications", summary: "How can this device be reached when nobody looks at it?",
		answers: "The channels that it has named, and whether the server is set up to send by them.", fails: []int{http.StatusServiceUnavailable},
	},
	"POST /v1/push/channels": {
		id: "register", tag: "notifications", summary: "This device can be reached by a channel.",
		description: "An app says so whenever its channel gives it a token. A token is one device's: who names it last has it. What goes through a channel is the id " +
			"of a `notification` and a short title, without names and amounts; the record comes with a pull. A device that is signed out is not told of anything.",
		in: reflect.TypeFor[ChannelToken](), answers: "All of its channels.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"POST /v1/push/channels/forget": {
		id: "unregister", tag: "notifications", summary: "This device can be reached by a channel no longer.",
		in: reflect.TypeFor[ChannelName](), answers: "The channels that are left.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /v1/push/deliveries": {
		id: "deliveries", tag: "notifications", summary: "What became of a notification on its way to the caller's devices?",
		answers: "A delivery for each device and channel, and one without a device if nobody was reached.",
		fails:   []int{http.StatusBadRequest, http.StatusNotFound, http.StatusServiceUnavailable},
	},
	"GET /v1/push/undelivered": {
		id: "undelivered", tag: "notifications", summary: "Which notifications have reached nobody?",
		answers: "The newest first. The list ends where `after` is missing.", fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"POST /v1/push/undelivered/replay": {
		id: "replay", tag: "notifications", summary: "Send some of them again.",
		description: "What devices have taken is not sent to them again, and what was read or is no news any more is not sent at all.",
		in:          reflect.TypeFor[Replay](), answers: "What became of each.",
		fails: []int{http.StatusBadRequest, http.StatusServiceUnavailable},
	},
	"GET /healthz": {
		id: "healthz", tag: "around", summary: "Is the process alive?", answers: "It is.",
	},
	"GET /readyz": {
		id: "readyz", tag: "around", summary: "Can it serve requests?", answers: "It can.",
		fails: []int{http.StatusServiceUnavailable},
	},
	"GET /metrics": {
		id: "metrics", tag: "around", summary: "How it does, for Prometheus.",
		description: "For a monitor on the server's own machine or, once the operator has set a token, for one that brings it. To everybody else there " +
			"is no such address.",
		answers: "Metrics in Prometheus' text format.", media: "text/plain",
		fails: []int{http.StatusUnauthorized, http.StatusNotFound},
	},
	"GET /openapi.yaml": {
		id: "openapi", tag: "around", summary: "This document.", answers: "This document.", media: "application/yaml",
	},
	"GET /openapi.json": {
		id: "openapiJSON", tag: "around", summary: "This document as JSON.", answers: "This document.", media: jsonType,
	},
	"GET /docs": {
		id: "docs", tag: "around", summary: "This document as a page, in English or Chinese.", answers: "The page.", media: "text/html",
	},
	"GET /docs/{asset}": {
		id: "docsAsset", tag: "around", summary: "A file that the page loads.", answers: "The file.", media: "application/octet-stream",
		fails: []int{http.StatusNotFound},
	},
}

// Likeness is a record that others may be like.
type Likeness struct {
	Kind string        `json:"kind" maxLength:"128" example:"account"`
	ID   string        `json:"id,omitempty" format:"uuid" doc:"Of the record itself, if it is there already."`
	Set  record.Values `json:"set"`
}

// ChannelToken is by what a channel finds a device.
type ChannelToken struct {
	Channel string `json:"channel" maxLength:"16" example:"fcm" doc:"fcm"`
	Token   string `json:"token" maxLength:"4096" doc:"By which the channel finds the device."`
}

// ChannelName is a channel by which it is found no longer.
type ChannelName struct {
	Channel string `json:"channel" maxLength:"16" example:"fcm"`
}

// Replay are notifications that are to be sent again.
type Replay struct {
	Notifications []record.ID `json:"notifications" minItems:"1" maxItems:"100"`
}

// Creation is what a record is created of.
type Creation struct {
	ID  string        `json:"id,omitempty"`
	Set record.Values `json:"set"`
}

// Editing is a change of one record.
type Editing struct {
	Seen   version.Vector `json:"seen,omitempty"`
	Set    record.Values  `json:"set,omitempty"`
	Add    record.Values  `json:"add,omitempty"`
	Remove record.Values  `json:"remove,omitempty"`
	Inc    record.Values  `json:"inc,omitempty"`
	Base   record.Values  `json:"base,omitempty"`
}

// Deletion says what somebody had seen of what he deletes.
type Deletion struct {
	Seen version.Vector `json:"seen,omitempty"`
}

// Deciding is what somebody decides in the inbox.
type Deciding struct {
	Decisions []Decision `json:"decisions"`
}

// Decision is what he decides about one conflict.
type Decision struct {
	Conflict record.ID       `json:"conflict"`
	Keep     string          `json:"keep"`
	Version  record.ID       `json:"version,omitzero"`
	Value    json.RawMessage `json:"value,omitempty"`
	Seen     record.Seq      `json:"seen,omitempty"`
}

// Words is what somebody says of approvals.
type Words struct {
	Decisions []approvals.Word `json:"decisions"`
}

// Restoring names the value that is to stand again.
type Restoring struct {
	Field string      `json:"field"`
	Dot   version.Dot `json:"dot"`
}

// Condition is how the server is.
type Condition struct {
	Status string `json:"status"`
}

// The examples are named for their operation: login.request.json is what is
// sent, login.json what is answered.
//
//go:embed examples
var exampleFiles embed.FS

// example is nil if there is none.
func example(name string) any {
	text, err := fs.ReadFile(exampleFiles, "examples/"+name+".json")
	if err != nil {
		return nil
	}
	return raw(text)
}
