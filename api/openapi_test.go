package api_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

type contract struct {
	OpenAPI    string                    `yaml:"openapi"`
	Paths      map[string]map[string]any `yaml:"paths"`
	Components struct {
		Schemas   map[string]schema `yaml:"schemas"`
		Responses map[string]any    `yaml:"responses"`
	} `yaml:"components"`
}

type schema struct {
	Required   []string       `yaml:"required"`
	Properties map[string]any `yaml:"properties"`
	Enum       []string       `yaml:"enum"`
}

// theContract is what the server hands out.
func theContract(t *testing.T) (c contract, source string) {
	t.Helper()
	source = text(t, newServer(nil).ask(t, "GET", "/openapi.yaml", "", nil))
	require.NoError(t, yaml.Unmarshal([]byte(source), &c))
	return c, source
}

func TestOpenAPI_documentsEveryRouteAndNoOther(t *testing.T) {
	t.Parallel()

	c, _ := theContract(t)
	require.Equal(t, "3.1.0", c.OpenAPI)
	var documented, served []string
	for path, methods := range c.Paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range newServer(nil).Routes() {
		served = append(served, r.Method+" "+r.Path)
	}
	require.ElementsMatch(t, served, documented)
}

func TestOpenAPI_publicRoutesAreMarked(t *testing.T) {
	t.Parallel()

	c, _ := theContract(t)
	for _, r := range newServer(nil).Routes() {
		operation, ok := c.Paths[r.Path][strings.ToLower(r.Method)].(map[string]any)
		require.True(t, ok)
		_, open := operation["security"]
		require.Equal(t, r.Right == "public", open, "%s: security", r.Path)
	}
}

// frames are the types behind the schemas of the same name.
var frames = map[string]reflect.Type{
	"LoginRequest":   reflect.TypeFor[wire.LoginRequest](),
	"DeviceInfo":     reflect.TypeFor[wire.DeviceInfo](),
	"LoginAnswer":    reflect.TypeFor[wire.LoginAnswer](),
	"Actor":          reflect.TypeFor[wire.Actor](),
	"RefreshRequest": reflect.TypeFor[wire.RefreshRequest](),
	"RefreshAnswer":  reflect.TypeFor[wire.RefreshAnswer](),
	"Push":           reflect.TypeFor[wire.Push](),
	"Mutation":       reflect.TypeFor[record.Mutation](),
	"Edit":           reflect.TypeFor[record.Edit](),
	"Again":          reflect.TypeFor[record.Again](),
	"PushAnswer":     reflect.TypeFor[wire.PushAnswer](),
	"Durable":        reflect.TypeFor[wire.Durable](),
	"Outcome":        reflect.TypeFor[record.Outcome](),
	"Refusal":        reflect.TypeFor[record.Refusal](),
	"Clash":          reflect.TypeFor[record.Clash](),
	"Shown":          reflect.TypeFor[record.Shown](),
	"PullRequest":    reflect.TypeFor[wire.PullRequest](),
	"Want":           reflect.TypeFor[wire.Want](),
	"PullAnswer":     reflect.TypeFor[wire.PullAnswer](),
	"Change":         reflect.TypeFor[wire.Change](),
	"Withdraw":       reflect.TypeFor[wire.Withdraw](),
	"Digest":         reflect.TypeFor[wire.Digest](),
	"Stamp":          reflect.TypeFor[version.Stamp](),
	"Field":          reflect.TypeFor[errs.Field](),
	"Problem":        reflect.TypeFor[wire.Problem](),
}

func TestOpenAPI_schemasHaveTheMembersOfTheFrames(t *testing.T) {
	t.Parallel()

	c, _ := theContract(t)
	for name, frame := range frames {
		s, ok := c.Components.Schemas[name]
		require.True(t, ok, "there is no schema %s", name)
		want := members(frame)
		if name == "Problem" {
			want = append(want, "do") // from api itself
		}
		var got []string
		for member := range s.Properties {
			got = append(got, member)
		}
		require.ElementsMatch(t, want, got, name)
		for _, member := range s.Required {
			require.Contains(t, got, member, name)
		}
	}
	var kinds []string
	for _, k := range errs.Kinds() {
		kinds = append(kinds, string(k))
	}
	require.Equal(t, kinds, c.Components.Schemas["ProblemKind"].Enum)
}

func members(frame reflect.Type) []string {
	var names []string
	for f := range frame.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

func TestOpenAPI_referencesLead(t *testing.T) {
	t.Parallel()

	c, source := theContract(t)
	var used []string
	for _, part := range strings.Split(source, `$ref: "#/components/`)[1:] {
		ref, _, _ := strings.Cut(part, `"`)
		used = append(used, ref)
		kind, name, _ := strings.Cut(ref, "/")
		_, schema := c.Components.Schemas[name]
		_, response := c.Components.Responses[name]
		require.True(t, kind == "schemas" && schema || kind == "responses" && response, ref)
	}
	for name := range c.Components.Schemas {
		require.True(t, slices.Contains(used, "schemas/"+name), "nothing uses the schema %s", name)
	}
}

// What is answered has the members that the contract promises.
func TestOpenAPI_answersKeepTheirPromises(t *testing.T) {
	t.Parallel()

	c, _ := theContract(t)
	s := newServer(nil)
	for name, answer := range map[string]string{
		"LoginAnswer":   text(t, s.ask(t, "POST", "/v1/auth/login", "", []byte(goodLogin))),
		"RefreshAnswer": text(t, s.ask(t, "POST", "/v1/auth/refresh", "", []byte(`{}`))),
		"PushAnswer":    text(t, s.ask(t, "POST", "/v1/sync/push", "rep", []byte(goodPush))),
		"Problem":       text(t, s.ask(t, "POST", "/v1/sync/push", "", nil)),
	} {
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(answer), &got))
		for _, member := range c.Components.Schemas[name].Required {
			require.Contains(t, got, member, name)
		}
	}
}
