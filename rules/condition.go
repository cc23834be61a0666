package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"roadbook/errs"
)

// Limits of a condition. It is evaluated where everybody waits for it.
const (
	MaxCondition = 2000    // bytes of its text
	maxCost      = 100_000 // steps of one evaluation, as CEL counts them
)

// Shape is what sort of value a name of a condition stands for.
type Shape string

// The shapes. A name without a value is nought, an empty text, an empty list, no,
// or a time long past.
const (
	ANumber Shape = "number"
	AText   Shape = "text"
	YesOrNo Shape = "bool"
	ATime   Shape = "time"
	Several Shape = "list"
	Members Shape = "map"
)

// Names are what a condition may speak of.
type Names map[string]Shape

// Condition is an expression in CEL that holds or does not.
type Condition struct {
	text    string
	names   Names
	program cel.Program
}

// String is the condition as it was written.
func (c *Condition) String() string { return c.text }

// Language is what conditions about one sort of thing are read with.
type Language struct {
	names Names
	env   func() (*cel.Env, error)
}

// Speak makes a language of some names. It costs nothing until it is used.
func Speak(names Names) *Language {
	return &Language{names: names, env: sync.OnceValues(func() (*cel.Env, error) {
		options := []cel.EnvOption{cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true), cel.ParserExpressionSizeLimit(MaxCondition)}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			options = append(options, cel.Variable(name, celTypes[names[name]]))
		}
		return cel.NewEnv(options...)
	})}
}

var celTypes = map[Shape]*cel.Type{
	ANumber: cel.DoubleType, AText: cel.StringType, YesOrNo: cel.BoolType, ATime: cel.TimestampType,
	Several: cel.ListType(cel.DynType), Members: cel.MapType(cel.StringType, cel.DynType),
}

// nothing is the value of a name that has none.
var nothing = map[Shape]any{
	ANumber: 0.0, AText: "", YesOrNo: false, ATime: time.Unix(0, 0).UTC(), Several: []any{}, Members: map[string]any{},
}

// Read reads a condition. No text at all is no condition, which is nil and always
// holds. The error says what is wrong and where.
func (l *Language) Read(text string) (*Condition, error) {
	switch {
	case text == "":
		return nil, nil //nolint:nilnil // no condition
	case len(text) > MaxCondition:
		return nil, amiss(1, 1, "it is longer than a condition may be")
	case !utf8.ValidString(text):
		return nil, amiss(1, 1, "it is not text in UTF-8")
	}
	env, err := l.env()
	if err != nil {
		return nil, err
	}
	tree, wrong := env.Compile(text)
	if wrong != nil && wrong.Err() != nil {
		first := wrong.Errors()[0]
		detail := first.Message
		if strings.Contains(detail, "double, int") || strings.Contains(detail, "int, double") {
			detail += "; write the number with a point, as 15.0"
		}
		return nil, amiss(first.Location.Line(), first.Location.Column()+1, detail)
	}
	if !tree.OutputType().IsExactType(cel.BoolType) {
		return nil, amiss(1, 1, "it must say yes or no, and says something else")
	}
	program, err := env.Program(tree, cel.CostLimit(maxCost), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, amiss(1, 1, err.Error())
	}
	return &Condition{text: text, names: l.names, program: program}, nil
}

// Holds reports whether a condition holds of some values: numbers are float64,
// texts string, times time.Time, lists []any.
func (c *Condition) Holds(values map[string]any) (bool, error) {
	if c == nil {
		return true, nil
	}
	out, _, err := c.program.Eval(given{c.names, values})
	if err != nil {
		return false, errs.New("rules.Condition", errs.Clash, "the condition %q cannot be worked out: %s", c.text, err.Error()).Coded("condition")
	}
	return out == types.True, nil
}

// given are the values of names, and what stands for those that have none.
type given struct {
	names  Names
	values map[string]any
}

// ResolveName implements interpreter.Activation.
func (g given) ResolveName(name string) (any, bool) {
	if v, is := g.values[name]; is && v != nil {
		return v, true
	}
	shape, is := g.names[name]
	return nothing[shape], is
}

// Parent implements interpreter.Activation.
func (g given) Parent() cel.Activation { return nil }

// amiss is an error of a condition: at which line and column, and what is wrong.
func amiss(line, column int, detail string) *errs.Error {
	err := errs.New("rules.Condition", errs.Invalid, "the condition cannot be used, at line %d, column %d: %s", line, column, detail)
	return err.Coded("condition").Of(errs.Field{Field: "condition:" + strconv.Itoa(line) + ":" + strconv.Itoa(column), Detail: detail})
}
