package rules

import (
	"math"
	"strconv"
	"unicode/utf8"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"
)

// Limits of a filter. It travels in an address, and is meant to be read.
const (
	MaxBytes = 2000 // of its text: what every proxy lets pass in an address
	MaxDepth = 16   // conditions within conditions
	MaxTerms = 40   // comparisons: each is a look-up for every record looked at
	MaxList  = 100  // values of one list: the ids of a page
)

// maxRecursion bounds the parser itself: a level of ours is several of the
// grammar's.
const maxRecursion = 250

// Parse reads a filter. No text at all is no condition, which is nil. The
// error says what is wrong and where.
func Parse(text string) (Expr, error) {
	switch {
	case text == "":
		return nil, nil //nolint:nilnil // no condition
	case len(text) > MaxBytes:
		return nil, fault(1, "it is longer than a filter may be")
	case !utf8.ValidString(text):
		return nil, fault(1, "it is not text in UTF-8")
	}
	// Of the two parsers that come with CEL this is the one written by hand: its
	// time grows with the text, without a look ahead.
	p, err := parser.NewParser(parser.EnablePrattParser(true), parser.MaxRecursionDepth(maxRecursion),
		parser.ErrorReportingLimit(1), parser.ExpressionSizeCodePointLimit(MaxBytes))
	if err != nil {
		return nil, err
	}
	read, wrong := p.Parse(common.NewTextSource(text))
	if errs := wrong.GetErrors(); len(errs) > 0 {
		return nil, fault(placeOf(text, errs[0].Location), "it cannot be read as an expression")
	}
	r := reader{text: text, info: read.SourceInfo()}
	return r.condition(read.Expr(), 1)
}

// placeOf counts characters over all lines.
func placeOf(text string, l common.Location) int {
	at, line := 1, 1
	for _, c := range text {
		if line >= l.Line() {
			break
		}
		if at++; c == '\n' {
			line++
		}
	}
	return max(at+l.Column(), 1)
}

// reader turns the parser's tree into ours.
type reader struct {
	text  string
	info  *ast.SourceInfo
	terms int
}

func (r *reader) at(e ast.Expr) Place {
	return Place(placeOf(r.text, r.info.GetStartLocation(e.ID())))
}

// joined are the operators that hold conditions together.
var joined = map[string]bool{operators.LogicalAnd: true, operators.LogicalOr: true}

var comparisons = map[string]Op{
	operators.Equals: Equal, operators.NotEquals: NotEqual, operators.Less: Less, operators.LessEquals: LessEqual,
	operators.Greater: Greater, operators.GreaterEquals: GreaterEqual,
}

func (r *reader) condition(e ast.Expr, depth int) (Expr, error) {
	at := r.at(e)
	if depth > MaxDepth {
		return nil, fault(at.At(), "it is nested too deeply")
	}
	if e.Kind() == ast.IdentKind {
		return r.term(Compare{at, Name{at, e.AsIdent()}, Equal, Literal{at, Bool, "true"}})
	}
	if e.Kind() != ast.CallKind {
		return nil, fault(at.At(), "a condition was expected here")
	}
	call := e.AsCall()
	switch name := call.FunctionName(); {
	case joined[name]:
		return r.join(e, name, depth)
	case name == operators.LogicalNot:
		part, err := r.condition(call.Args()[0], depth+1)
		return Not{at, part}, err
	case comparisons[name] != "":
		return r.compare(at, comparisons[name], call.Args())
	case name == operators.In || name == operators.OldIn:
		return r.in(at, call.Args())
	case name == "startsWith" && call.IsMemberFunction() && len(call.Args()) == 1:
		return r.compare(at, StartsWith, []ast.Expr{call.Target(), call.Args()[0]})
	}
	return nil, fault(at.At(), "filters do not know this function or operator")
}

// join reads a chain of one operator as one condition of many parts.
func (r *reader) join(e ast.Expr, op string, depth int) (Expr, error) {
	var parts []Expr
	var err error
	for _, arg := range chain(e, op, nil) {
		var part Expr
		if part, err = r.condition(arg, depth+1); err != nil {
			return nil, err
		}
		parts = append(parts, part)
	}
	if op == operators.LogicalOr {
		return Or{r.at(e), parts}, nil
	}
	return And{r.at(e), parts}, nil
}

// chain lists what one operator joins, which the parser nests two by two.
func chain(e ast.Expr, op string, parts []ast.Expr) []ast.Expr {
	if e.Kind() == ast.CallKind && e.AsCall().FunctionName() == op {
		for _, arg := range e.AsCall().Args() {
			parts = chain(arg, op, parts)
		}
		return parts
	}
	return append(parts, e)
}

// term counts what is to be looked up.
func (r *reader) term(e Expr) (Expr, error) {
	if r.terms++; r.terms > MaxTerms {
		return nil, fault(e.At(), "it has too many comparisons")
	}
	return e, nil
}

func (r *reader) compare(at Place, op Op, sides []ast.Expr) (Expr, error) {
	left, right := sides[0], sides[1]
	if left.Kind() != ast.IdentKind && right.Kind() == ast.IdentKind && flipped[op] != "" {
		left, right, op = right, left, flipped[op]
	}
	if left.Kind() != ast.IdentKind {
		return nil, fault(r.at(left).At(), "a field was expected here")
	}
	value, err := r.literal(right)
	if err != nil {
		return nil, err
	}
	return r.term(Compare{at, Name{r.at(left), left.AsIdent()}, op, value})
}

func (r *reader) in(at Place, sides []ast.Expr) (Expr, error) {
	left, right := sides[0], sides[1]
	if right.Kind() == ast.IdentKind {
		value, err := r.literal(left)
		if err != nil {
			return nil, err
		}
		return r.term(Has{at, value, Name{r.at(right), right.AsIdent()}})
	}
	if left.Kind() != ast.IdentKind {
		return nil, fault(r.at(left).At(), "a field was expected here")
	}
	if right.Kind() != ast.ListKind {
		return nil, fault(r.at(right).At(), "a list of values was expected here")
	}
	elements := right.AsList().Elements()
	if len(elements) > MaxList {
		return nil, fault(r.at(right).At(), "the list has too many values")
	}
	in := In{Place: at, Field: Name{r.at(left), left.AsIdent()}}
	for _, e := range elements {
		value, err := r.literal(e)
		if err != nil {
			return nil, err
		}
		in.Values = append(in.Values, value)
	}
	return r.term(in)
}

func (r *reader) literal(e ast.Expr) (Literal, error) {
	at := r.at(e)
	if e.Kind() == ast.CallKind {
		call := e.AsCall()
		if call.FunctionName() == "timestamp" && !call.IsMemberFunction() && len(call.Args()) == 1 {
			inner, err := r.literal(call.Args()[0])
			if err == nil && inner.Sort != Text {
				err = fault(inner.At(), "a time is written as text, like timestamp(\"2026-11-21T09:00:00Z\")")
			}
			return Literal{at, Timestamp, inner.Text}, err
		}
	}
	if e.Kind() != ast.LiteralKind {
		return Literal{}, fault(at.At(), "a value was expected here")
	}
	switch v := e.AsLiteral().(type) {
	case types.String:
		return Literal{at, Text, string(v)}, nil
	case types.Int:
		return Literal{at, Number, strconv.FormatInt(int64(v), 10)}, nil
	case types.Uint:
		return Literal{at, Number, strconv.FormatUint(uint64(v), 10)}, nil
	case types.Double:
		if math.IsInf(float64(v), 0) || math.IsNaN(float64(v)) {
			return Literal{}, fault(at.At(), "this number is too large")
		}
		if v == 0 {
			v = 0 // and not -0
		}
		return Literal{at, Number, strconv.FormatFloat(float64(v), 'f', -1, 64)}, nil
	case types.Bool:
		return Literal{at, Bool, strconv.FormatBool(bool(v))}, nil
	case types.Null:
		return Literal{at, Null, ""}, nil
	}
	return Literal{}, fault(at.At(), "filters do not know values of this sort")
}
