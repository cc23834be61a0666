package contract

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"roadbook/access"
	"roadbook/api/words"
	"roadbook/errs"
	"roadbook/sync/wire"
)

// failureNames are the components that describe a failure.
var failureNames = map[int]string{
	http.StatusBadRequest:            "Invalid",
	http.StatusUnauthorized:          "Anonymous",
	http.StatusForbidden:             "Denied",
	http.StatusNotFound:              "Missing",
	http.StatusConflict:              "Clash",
	http.StatusGone:                  "Stale",
	http.StatusRequestEntityTooLarge: "TooLarge",
	http.StatusTooManyRequests:       "Limited",
	http.StatusServiceUnavailable:    "Busy",
}

// failures lists them, each with an example in both languages.
func failures() map[string]*huma.Response {
	return map[string]*huma.Response{
		"Invalid": told("What was sent cannot be accepted as it stands. `fields` says what is wrong with which.",
			errs.Invalid, "required", http.StatusBadRequest, errs.Field{Field: "name", Detail: "this must be filled in"}),
		"Anonymous": told("Nobody knows who is asking.", errs.Anonymous, "token", http.StatusUnauthorized),
		"Denied":    told("The role of the caller does not include this.", errs.Denied, "role", http.StatusForbidden),
		"Missing":   told("It is not there, or not for the caller to see.", errs.Missing, "missing", http.StatusNotFound),
		"Clash":     told("What it builds on has changed.", errs.Clash, "deleted", http.StatusConflict),
		"Stale": told("The position of this device is of no use any more: code `foreign`, `horizon`, `epoch`, `rewound` or, of a comparison, `sight`. `do` says what to do, "+
			"in order: `journal` (push again what was acknowledged since the lost state), `resync` (compare by `/v1/sync/check`, or pull with an empty cursor), "+
			"`outbox` (push). Nothing of the outbox is dropped.", errs.Stale, "horizon", http.StatusGone),
		"TooLarge": told("The body is longer than `x-max-body-bytes`, decompressed.", errs.Invalid, "size", http.StatusRequestEntityTooLarge),
		"Limited":  waiting(told("Too much in too short a time.", errs.Limited, "locked", http.StatusTooManyRequests)),
		"Busy":     waiting(told("Not now. The same bytes may be sent again.", errs.Busy, "busy", http.StatusServiceUnavailable)),
		"Problem": waiting(told("Everything else that goes wrong. `limited` and `busy` carry Retry-After; the same bytes may be sent again then.",
			errs.Internal, "internal", http.StatusInternalServerError)),
	}
}

func failure(name string) *huma.Response {
	return &huma.Response{Ref: "#/components/responses/" + name}
}

// told is a failure as somebody is told it.
func told(about string, kind errs.Kind, code string, status int, fields ...errs.Field) *huma.Response {
	examples := map[string]*huma.Example{}
	for _, lang := range []words.Language{words.English, words.Chinese} {
		detail, inWords := words.Explain(kind, code, "", fields, lang)
		p := wire.Problem{
			Status: status, Title: words.Title(kind, lang), Detail: detail, Kind: string(kind),
			Code: code, Fields: inWords, RequestID: "0199b6a0-0000-7000-8000-00000000f00d",
		}
		text, err := json.Marshal(p)
		if err != nil {
			panic(err) // it has nothing that could fail
		}
		examples[string(lang)] = &huma.Example{Value: raw(text)}
	}
	return &huma.Response{Description: about, Content: map[string]*huma.MediaType{
		problemJSON: {Schema: &huma.Schema{Ref: schemasPath + "Problem"}, Examples: examples},
	}}
}

func waiting(r *huma.Response) *huma.Response {
	r.Headers = map[string]*huma.Param{"Retry-After": {Description: "Seconds.", Schema: &huma.Schema{Type: huma.TypeInteger}}}
	return r
}

// failures are the statuses that a route may answer with: what its right and
// its body imply, and its own.
func (o operation) failures(r Route) []int {
	list := slices.Clone(o.fails)
	if r.Right != access.Public {
		list = append(list, http.StatusUnauthorized, http.StatusForbidden)
	}
	if r.MaxBody > 0 {
		list = append(list, http.StatusBadRequest, http.StatusRequestEntityTooLarge)
	}
	slices.Sort(list)
	return slices.Compact(list)
}
