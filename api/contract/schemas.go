package contract

import (
	"encoding/json"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

const schemasPath = "#/components/schemas/"

var problemType = reflect.TypeFor[wire.Problem]()

// newRegistry knows what our own words look like in JSON.
func newRegistry() huma.Registry {
	r := huma.NewMapRegistry(schemasPath, nameOf)
	for word, looks := range map[reflect.Type]reflect.Type{
		reflect.TypeFor[anyProblem]():      problemType,
		reflect.TypeFor[record.ID]():       reflect.TypeFor[idText](),
		reflect.TypeFor[record.Seq]():      reflect.TypeFor[seqText](),
		reflect.TypeFor[version.Replica](): reflect.TypeFor[replicaText](),
		reflect.TypeFor[version.Vector]():  reflect.TypeFor[vectorObject](),
		reflect.TypeFor[record.Values]():   reflect.TypeFor[valuesObject](),
		reflect.TypeFor[record.Op]():       reflect.TypeFor[opText](),
		reflect.TypeFor[record.Result]():   reflect.TypeFor[resultText](),
		reflect.TypeFor[record.Policy]():   reflect.TypeFor[policyText](),
		reflect.TypeFor[record.OnDelete](): reflect.TypeFor[onDeleteText](),
		reflect.TypeFor[wire.Gone]():       reflect.TypeFor[goneText](),
		reflect.TypeFor[errs.Kind]():       reflect.TypeFor[kindText](),
	} {
		r.RegisterTypeAlias(word, looks)
	}
	return r
}

// nameOf tells apart what two packages call by the same name.
func nameOf(t reflect.Type, hint string) string {
	switch t {
	case reflect.TypeFor[record.Field](), reflect.TypeFor[*record.Field]():
		return "SchemaField"
	case reflect.TypeFor[record.Kind](), reflect.TypeFor[*record.Kind]():
		return "SchemaKind"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

func (c *Contract) schema(t reflect.Type) *huma.Schema {
	return c.API.OpenAPI().Components.Schemas.Schema(t, true, t.Name())
}

// named puts a schema among the components, once, and refers to it.
func named(r huma.Registry, name string, s *huma.Schema) *huma.Schema {
	if _, there := r.Map()[name]; !there {
		r.Map()[name] = s
	}
	return &huma.Schema{Ref: schemasPath + name}
}

func oneOf[S ~string](words ...S) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, w := range words {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

type (
	idText       string
	seqText      string
	replicaText  string
	vectorObject string
	valuesObject string
	opText       string
	resultText   string
	policyText   string
	onDeleteText string
	goneText     string
	kindText     string
)

func (idText) Schema(r huma.Registry) *huma.Schema {
	return named(r, "ID", &huma.Schema{
		Type: huma.TypeString, Format: "uuid",
		Description: "A UUID of 36 characters, version 7 by custom, made where the thing is made.",
	})
}

func (seqText) Schema(r huma.Registry) *huma.Schema {
	return named(r, "Seq", &huma.Schema{Type: huma.TypeString, Pattern: "^[0-9]+$", Description: "A place in the org's log."})
}

func (replicaText) Schema(r huma.Registry) *huma.Schema {
	return named(r, "Replica", &huma.Schema{Type: huma.TypeString, Description: "The name of one writer with one counter."})
}

func (vectorObject) Schema(r huma.Registry) *huma.Schema {
	return named(r, "Vector", &huma.Schema{
		Type:                 huma.TypeObject,
		Description:          "The highest number seen per replica. `log` stands for the whole log up to a seq, and is what clients send.",
		AdditionalProperties: &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}}},
	})
}

func (valuesObject) Schema(r huma.Registry) *huma.Schema {
	return named(r, "Values", &huma.Schema{
		Type: huma.TypeObject, Description: "Fields and their values. Null stands for cleared.", AdditionalProperties: true,
	})
}

func (opText) Schema(huma.Registry) *huma.Schema {
	return oneOf(record.OpCreate, record.OpEdit, record.OpDelete, record.OpRestore)
}

func (resultText) Schema(huma.Registry) *huma.Schema {
	return oneOf(record.Applied, record.Merged, record.Refused, record.Parked)
}

func (policyText) Schema(huma.Registry) *huma.Schema { return oneOf(record.Policies()...) }

func (onDeleteText) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

func (goneText) Schema(huma.Registry) *huma.Schema { return oneOf(wire.GoneDeleted, wire.GoneLeft) }

func (kindText) Schema(r huma.Registry) *huma.Schema {
	s := oneOf(errs.Kinds()...)
	s.Description = "What the device does: internal, busy: send the same bytes again later; invalid, denied, missing: " +
		"show it, keep what was typed; anonymous: sign in; clash: pull, then decide; stale: do what `do` says; limited: wait."
	return named(r, "ProblemKind", s)
}

// complete says of the schemas what their types cannot.
func (c *Contract) complete() {
	c.schema(reflect.TypeFor[record.Schema]())
	all := c.API.OpenAPI().Components.Schemas.Map()
	for name, s := range all {
		if text, ok := types[name]; ok {
			s.Description = text
		}
		for member, m := range s.Properties {
			if change, ok := members[name+"."+member]; ok {
				change(m)
			}
		}
	}
	p := all["Problem"]
	kindText("").Schema(c.API.OpenAPI().Components.Schemas)
	p.Properties["kind"] = &huma.Schema{Ref: schemasPath + "ProblemKind"}
	p.Properties["do"] = &huma.Schema{
		Type: huma.TypeArray, Items: oneOf("journal", "resync", "outbox"), Description: "What a device does about `stale`, in this order.",
	}
}

// raw is JSON that is put into the document as it is.
func raw(text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		panic(err) // TestExamples
	}
	return v
}
