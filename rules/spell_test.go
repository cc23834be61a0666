package rules_test

import (
	"fmt"
	"strconv"
	"strings"

	"roadbook/rules"
)

// spell writes a condition as a filter would spell it, with all parentheses.
func spell(e rules.Expr) string {
	switch e := e.(type) {
	case rules.And:
		return joined(e.Parts, " && ")
	case rules.Or:
		return joined(e.Parts, " || ")
	case rules.Not:
		return "!" + enclosed(e.Part)
	case rules.Compare:
		if e.Op == rules.StartsWith {
			return e.Field.Text + ".startsWith(" + literal(e.Value) + ")"
		}
		return e.Field.Text + " " + string(e.Op) + " " + literal(e.Value)
	case rules.In:
		var values []string
		for _, v := range e.Values {
			values = append(values, literal(v))
		}
		return e.Field.Text + " in [" + strings.Join(values, ", ") + "]"
	case rules.Has:
		return literal(e.Value) + " in " + e.Field.Text
	}
	return fmt.Sprintf("%#v", e)
}

func joined(parts []rules.Expr, op string) string {
	var all []string
	for _, p := range parts {
		all = append(all, enclosed(p))
	}
	return strings.Join(all, op)
}

func enclosed(e rules.Expr) string { return "(" + spell(e) + ")" }

func literal(l rules.Literal) string {
	switch l.Sort {
	case rules.Text:
		return strconv.Quote(l.Text)
	case rules.Timestamp:
		return "timestamp(" + strconv.Quote(l.Text) + ")"
	case rules.Null:
		return "null"
	case rules.Number:
		if _, err := strconv.ParseInt(l.Text, 10, 64); err != nil && !strings.Contains(l.Text, ".") {
			return l.Text + ".0" // too large for a whole number
		}
	case rules.Bool:
	}
	return l.Text
}
