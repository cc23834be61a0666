package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"roadbook/access"
	"roadbook/api/contract"
)

var update = flag.Bool("update", false, "rewrite openapi.yaml")

type document struct {
	OpenAPI    string                          `yaml:"openapi"`
	Paths      map[string]map[string]operation `yaml:"paths"`
	Components struct {
		Schemas map[string]struct {
			Required   []string       `yaml:"required"`
			Properties map[string]any `yaml:"properties"`
		} `yaml:"schemas"`
		Responses map[string]any `yaml:"responses"`
	} `yaml:"components"`
}

type operation struct {
	ID          string         `yaml:"operationId"`
	Summary     string         `yaml:"summary"`
	Right       string         `yaml:"x-right"`
	MaxBody     int64          `yaml:"x-max-body-bytes"`
	Seconds     float64        `yaml:"x-timeout-seconds"`
	Security    *[]any         `yaml:"security"`
	RequestBody body           `yaml:"requestBody"`
	Responses   map[string]any `yaml:"responses"`
}

type body struct {
	Content map[string]struct {
		Example any `yaml:"example"`
	} `yaml:"content"`
}

// theContract is what the server hands out.
func theContract(t *testing.T) (d document, source string) {
	t.Helper()
	source = text(t, newServer(nil).ask(t, "GET", "/openapi.yaml", "", nil))
	require.NoError(t, yaml.Unmarshal([]byte(source), &d))
	return d, source
}

// The file in the tree is what reviewers and generators of clients read.
func TestOpenAPI_isTheFile(t *testing.T) {
	t.Parallel()

	_, source := theContract(t)
	if *update {
		require.NoError(t, os.WriteFile("openapi.yaml", []byte(source), 0o600))
	}
	file, err := os.ReadFile("openapi.yaml")
	require.NoError(t, err)
	require.Equal(t, string(file), source, "run: go test ./api -run TestOpenAPI_isTheFile -update")
}

func TestOpenAPI_isValid(t *testing.T) {
	t.Parallel()

	_, source := theContract(t)
	parsed, err := libopenapi.NewDocument([]byte(source))
	require.NoError(t, err)
	v, wrong := validator.NewValidator(parsed)
	require.Empty(t, wrong)
	ok, faults := v.ValidateDocument()
	for _, f := range faults {
		t.Errorf("%s: %s %v", f.Message, f.Reason, f.SchemaValidationErrors)
	}
	require.True(t, ok)
}

func TestOpenAPI_sameAsJSON(t *testing.T) {
	t.Parallel()

	_, source := theContract(t)
	var fromYAML, fromJSON any
	require.NoError(t, yaml.Unmarshal([]byte(source), &fromYAML))
	require.NoError(t, json.Unmarshal([]byte(text(t, newServer(nil).ask(t, "GET", "/openapi.json", "", nil))), &fromJSON))
	again, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	want, err := json.Marshal(fromJSON)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, again), "the two notations differ")
}

// Every route is there, with its right, its limits and its failures.
func TestOpenAPI_documentsEveryRouteAndNoOther(t *testing.T) {
	t.Parallel()

	d, _ := theContract(t)
	require.Equal(t, "3.1.0", d.OpenAPI)
	var documented, served []string
	for path, methods := range d.Paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range newServer(nil).Routes() {
		name := r.Method + " " + r.Path
		served = append(served, name)
		op := d.Paths[r.Path][strings.ToLower(r.Method)]
		require.Equal(t, string(r.Right), op.Right, name)
		require.NotEmpty(t, op.Summary, name)
		require.Positive(t, op.Seconds, name)
		require.Contains(t, op.Responses, "default", name)
		require.Equal(t, r.Right == access.Public, op.Security != nil, "%s: security", name)
		if r.Right != access.Public {
			require.Contains(t, op.Responses, "401", name)
			require.Contains(t, op.Responses, "403", name)
		}
		if op.MaxBody > 0 {
			require.NotNil(t, op.RequestBody.Content["application/json"].Example, "%s: an example in api/contract/examples", name)
			require.Contains(t, op.Responses, "413", name)
		}
	}
	require.ElementsMatch(t, served, documented)
	require.ElementsMatch(t, served, contract.Operations())
}

// The examples are what the schemas say, and what is answered too.
func TestOpenAPI_examples(t *testing.T) {
	t.Parallel()

	_, source := theContract(t)
	parsed, err := libopenapi.NewDocument([]byte(source))
	require.NoError(t, err)
	model, wrong := parsed.BuildV3Model()
	require.NoError(t, wrong)
	v, faults := validator.NewValidator(parsed)
	require.Empty(t, faults)
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, op := range item.GetOperations().FromOldest() {
			r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), "http://x"+filled(path), nil)
			require.NoError(t, err)
			if op.RequestBody != nil {
				media := op.RequestBody.Content.GetOrZero("application/json")
				var sent any
				require.NoError(t, media.Example.Decode(&sent), op.OperationId)
				r = jsonRequest(t, r, sent)
				ok, faults := v.GetRequestBodyValidator().ValidateRequestBody(r)
				require.True(t, ok, "%s: %v", op.OperationId, faults)
			}
			for status, answer := range op.Responses.Codes.FromOldest() {
				if answer.Content == nil {
					continue
				}
				media := answer.Content.GetOrZero("application/json")
				if media == nil || media.Example == nil {
					require.False(t, media != nil && strings.HasPrefix(status, "2") && !strings.HasPrefix(path, "/openapi"), "%s has no example", op.OperationId)
					continue
				}
				var answered any
				require.NoError(t, media.Example.Decode(&answered))
				ok, faults := v.GetResponseBodyValidator().ValidateResponseBody(r, jsonAnswer(t, status, answered))
				require.True(t, ok, "%s: %v", op.OperationId, faults)
			}
		}
	}
}

// What is answered has the members that the contract promises.
func TestOpenAPI_answersKeepTheirPromises(t *testing.T) {
	t.Parallel()

	d, _ := theContract(t)
	s := newServer(nil)
	for name, answer := range map[string]string{
		"LoginAnswer":   text(t, s.ask(t, "POST", "/v1/auth/login", "", []byte(goodLogin))),
		"RefreshAnswer": text(t, s.ask(t, "POST", "/v1/auth/refresh", "", []byte(`{}`))),
		"PushAnswer":    text(t, s.ask(t, "POST", "/v1/sync/push", "rep", []byte(goodPush))),
		"Problem":       text(t, s.ask(t, "POST", "/v1/sync/push", "", nil)),
	} {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(answer), &got))
		require.NotEmpty(t, d.Components.Schemas[name].Required, name)
		for _, member := range d.Components.Schemas[name].Required {
			require.Contains(t, got, member, name)
		}
	}
}

func TestOpenAPI_referencesLead(t *testing.T) {
	t.Parallel()

	d, source := theContract(t)
	var used []string
	for _, part := range strings.Split(source, `$ref: "#/components/`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		used = append(used, ref)
	}
	require.NotEmpty(t, used)
	for name := range d.Components.Schemas {
		require.True(t, slices.Contains(used, "schemas/"+name), "nothing uses the schema %s", name)
	}
}

// filled gives an address values for what stands in braces.
func filled(path string) string {
	return strings.NewReplacer("{kind}", "account", "{id}", shop.ID.String(), "{asset}", "page.js").Replace(path)
}

func jsonRequest(t *testing.T, r *http.Request, v any) *http.Request {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	again, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), bytes.NewReader(b))
	require.NoError(t, err)
	again.Header.Set("Content-Type", "application/json")
	return again
}

func jsonAnswer(t *testing.T, status string, v any) *http.Response {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	code, err := strconv.Atoi(status)
	require.NoError(t, err)
	return &http.Response{
		StatusCode: code, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(b)),
	}
}
