package wire

import "roadbook/record"

// ReadEdit reads an edit of somebody who is online: what it has seen and its
// values. The operation, the kind and the record are the address's to say, so
// they are ignored. The edit may share memory with b.
func ReadEdit(b []byte) (record.Edit, error) {
	var e record.Edit
	if code := check(b, record.MaxMutationBytes); code != "" {
		return e, invalid("wire.ReadEdit", code, "")
	}
	r := &pushReader{}
	members, err := r.names.AppendValues(nil, b)
	if err != nil {
		return e, invalid("wire.ReadEdit", cutCode(err), "")
	}
	for _, v := range members {
		if record.IsNull(v.Raw) || v.Field == "op" || v.Field == "kind" || v.Field == "id" {
			continue
		}
		if code := r.editMember(&e, v); code != "" {
			return e, invalid("wire.ReadEdit", code, v.Field)
		}
	}
	return e, nil
}
