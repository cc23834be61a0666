// Package contract is what api promises, as an OpenAPI 3.1 document and as a
// page to read it on. Schemas are generated from the types that are really
// encoded; what a type cannot say stands beside it in members.go. It knows
// nothing of who serves a route.
package contract

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"roadbook/access"
)

// Route is what the contract has to be told of a route: the rest stands in
// operations.go.
type Route struct {
	Method, Path string
	Right        access.Right
	MaxBody      int64
	Within       time.Duration
}

// Contract collects the operations of all routes.
type Contract struct {
	API huma.API
}

// huma's settings belong to the process, like gin's mode. Arrays of ours are
// never null: one without elements is empty or left out. And a failure looks
// like ours.
func init() {
	huma.DefaultArrayNullable = false
	huma.NewError = func(int, string, ...error) huma.StatusError { return new(anyProblem) }
}

// anyProblem stands for a failure where huma wants to know what one looks like.
type anyProblem struct{}

func (*anyProblem) Error() string  { return "" }
func (*anyProblem) GetStatus() int { return 0 }

// New makes one that knows no routes yet. What huma serves is given to a.
func New(a huma.Adapter) *Contract {
	config := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Roadbook", Version: "1", Description: description,
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Servers:  []*huma.Server{{URL: "/"}},
			Security: []map[string][]string{{bearer: {}}},
			Tags:     tags,
			Components: &huma.Components{
				Schemas:   newRegistry(),
				Responses: failures(),
				SecuritySchemes: map[string]*huma.SecurityScheme{bearer: {
					Type: "http", Scheme: "bearer",
					Description: "The access token of a sign-in. A 401 means sign in again; it never means to delete anything.",
				}},
			},
		},
		Formats:       map[string]huma.Format{jsonType: huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
	}
	config.AllowAdditionalPropertiesByDefault = true // whoever reads ignores what he does not know
	c := &Contract{huma.NewAPI(config, a)}
	c.schema(problemType)
	return c
}

const (
	bearer      = "bearer"
	jsonType    = "application/json"
	problemJSON = "application/problem+json"
)

// Operation is a route's entry, without the types of a typed route, which are
// added as it is registered. Every route has one: that it is missing is a
// mistake in the source.
func (c *Contract) Operation(r Route) huma.Operation {
	said, ok := operations[r.Method+" "+r.Path]
	if !ok {
		panic("api/contract: " + r.Method + " " + r.Path + " has no entry in operations")
	}
	op := huma.Operation{
		Method: r.Method, Path: r.Path, OperationID: said.id, Tags: []string{said.tag},
		Summary: said.summary, Description: said.description,
		Responses:        map[string]*huma.Response{"default": failure("Problem")},
		SkipValidateBody: true, // the engine judges what is in a body
		Extensions: map[string]any{
			"x-right":           string(r.Right),
			"x-timeout-seconds": r.Within.Seconds(),
		},
	}
	if r.MaxBody > 0 {
		op.Extensions["x-max-body-bytes"] = r.MaxBody
	}
	for _, status := range said.failures(r) {
		op.Responses[strconv.Itoa(status)] = failure(failureNames[status])
	}
	if r.Right == access.Public {
		op.Security = []map[string][]string{}
	}
	return op
}

// request is the body that a route reads, if it does.
func (c *Contract) request(said operation) *huma.RequestBody {
	if said.in == nil {
		return nil
	}
	return &huma.RequestBody{Required: true, Description: said.takes, Content: map[string]*huma.MediaType{
		jsonType: {Schema: c.schema(said.in), Example: example(said.id + ".request")},
	}}
}

// Add documents a route that huma does not serve.
func (c *Contract) Add(r Route) {
	said, op := operations[r.Method+" "+r.Path], c.Operation(r)
	op.RequestBody = c.request(said)
	answer := &huma.Response{Description: said.answers}
	switch {
	case said.out != nil:
		answer.Content = map[string]*huma.MediaType{jsonType: {Schema: c.schema(said.out), Example: example(said.id)}}
	case said.media != "":
		answer.Content = map[string]*huma.MediaType{said.media: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	op.Responses[strconv.Itoa(said.success())] = answer
	c.API.OpenAPI().AddOperation(&op)
}

// Typed completes the entry of a route that huma has registered.
func (c *Contract) Typed(r Route) {
	said := operations[r.Method+" "+r.Path]
	item := c.API.OpenAPI().Paths[r.Path]
	for _, op := range []*huma.Operation{item.Get, item.Post, item.Delete, item.Put} {
		if op == nil || op.Method != r.Method {
			continue
		}
		op.RequestBody = c.request(said) // huma is not to read it
		if answer := op.Responses[strconv.Itoa(said.success())]; answer != nil {
			answer.Description = said.answers
			if said.media != "" {
				answer.Content = map[string]*huma.MediaType{said.media: {}}
			}
			if media := answer.Content[jsonType]; media != nil {
				media.Example = example(said.id)
			}
		}
	}
}

// Write makes the document, once all routes are in it.
func (c *Contract) Write() (yaml, json []byte) {
	c.complete()
	yaml, wrong := c.API.OpenAPI().YAML()
	json, broken := c.API.OpenAPI().MarshalJSON()
	if err := errors.Join(wrong, broken); err != nil {
		panic(err) // it is made of constants and types
	}
	return yaml, json
}

// Operations are the routes that there are entries for.
func Operations() []string {
	var names []string
	for name := range operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
