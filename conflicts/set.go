package conflicts

import (
	"bytes"
	"encoding/json"
	"slices"

	"roadbook/record"
)

// Add puts an element into an add-wins set: the observed-remove set without
// tombstones of Bieniusa et al., "An optimized conflict-free replicated set"
// (2012). An add always makes a new dot, also when the element is there, so
// that a concurrent remove does not take it away; the dots that its author had
// seen it replaces.
//
// Law: an element is in the set exactly if some add of it was not seen by any
// remove of it.
func Add(s *record.Slot, elem json.RawMessage, w *Write) {
	i, found := findElem(s.Elems, elem)
	if !found {
		s.Elems = slices.Insert(slices.Clone(s.Elems), i, record.Elem{Raw: elem})
	} else {
		s.Elems = slices.Clone(s.Elems)
	}
	s.Elems[i].Adds = append(uncovered(s.Elems[i].Adds, w), w.By)
	s.By = w.By
	s.Raw = listOf(s.Elems)
}

// Remove takes away the adds of an element that its author had seen. It
// reports whether the element is gone; it stays if somebody added it anew
// without his knowledge.
func Remove(s *record.Slot, elem json.RawMessage, w *Write) (gone bool) {
	s.By = w.By
	if s.Raw == nil {
		s.Raw = listOf(nil)
	}
	i, found := findElem(s.Elems, elem)
	if !found {
		return true
	}
	s.Elems = slices.Clone(s.Elems)
	s.Elems[i].Adds = uncovered(s.Elems[i].Adds, w)
	if len(s.Elems[i].Adds) > 0 {
		return false
	}
	s.Elems = slices.Delete(s.Elems, i, i+1)
	s.Raw = listOf(s.Elems)
	return true
}

func findElem(elems []record.Elem, raw json.RawMessage) (int, bool) {
	return slices.BinarySearchFunc(elems, raw, func(e record.Elem, raw json.RawMessage) int {
		return bytes.Compare(e.Raw, raw)
	})
}

func uncovered(adds []record.Writer, w *Write) []record.Writer {
	left := make([]record.Writer, 0, len(adds)+1)
	for _, a := range adds {
		if !w.Covers(a) {
			left = append(left, a)
		}
	}
	return left
}

func listOf(elems []record.Elem) json.RawMessage {
	out := []byte{'['}
	for i, e := range elems {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, e.Raw...)
	}
	return append(out, ']')
}
