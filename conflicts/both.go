package conflicts

import (
	"encoding/json"

	"roadbook/errs"
	"roadbook/record"
)

// Both is a field in which two versions stand, where its type has room for
// both: of a long text one below the other, of a line one behind the other, of
// a list the rows of either. Anything else holds one value, and whoever wants
// both has to say what that should be.
func Both(f *record.Field, one, other json.RawMessage) (json.RawMessage, error) {
	switch {
	case record.IsNull(one):
		return record.OrNull(other), nil
	case record.IsNull(other), sameValue(one, other):
		return one, nil
	case f.Type == "text":
		return bothTexts(f, one, other)
	case f.Type == "rows":
		return bothLists(one, other)
	}
	return nil, errs.New("conflicts.Both", errs.Invalid, "only one of the two can stand here; choose one, or enter another").Coded("both")
}

func bothTexts(f *record.Field, one, other json.RawMessage) (json.RawMessage, error) {
	a, err := plainText(one)
	if err != nil {
		return nil, err
	}
	b, err := plainText(other)
	if err != nil {
		return nil, err
	}
	between := " / "
	if f.Policy == record.Text {
		between = "\n"
	}
	return record.AppendString(nil, a+between+b), nil
}

func bothLists(one, other json.RawMessage) (json.RawMessage, error) {
	a, err := rowsOf(one)
	if err != nil {
		return nil, err
	}
	b, err := rowsOf(other)
	if err != nil {
		return nil, err
	}
	for i := range b {
		if rowBy(a, b[i].id) == nil {
			b[i].pos = "" // its place was in the other list
			a = append(a, b[i])
		}
	}
	return listed(placed(a)), nil
}
