package store

import "roadbook/record"

// Mended is a record of which the rows that follow from it are written anew.
type Mended struct {
	ID   record.ID
	Now  *record.Record // nil if there is none
	Out  []Member       // rows that should not be
	Dead []Dead         // the same, of the index
	Gone []IndexRow     // rows that were missing: it left
}

// queueMended comes behind what the commit writes of the records themselves.
func queueMended(b *batch, org record.OrgID, mended []Mended) {
	if len(mended) == 0 {
		return
	}
	var recs [][16]byte
	var come, went memberRows
	var looked lookupRows
	var gone indexRows
	var dead []Dead
	for _, m := range mended {
		recs = append(recs, m.ID)
		dead, gone = append(dead, m.Dead...), append(gone, m.Gone...)
		for _, o := range m.Out {
			went.scope, went.rank, went.rec = append(went.scope, int32(o.Scope)), append(went.rank, o.Rank), append(went.rec, o.Rec)
		}
		if m.Now != nil {
			come.add(m.Now, m.Now.Scopes)
			looked.add(m.ID, m.Now.AppendLookups(nil))
		}
	}
	went.queue(b, membersDelete, org)
	come.queue(b, membersInsert, org)
	b.Queue(lookupsForget, org, recs)
	if len(looked.rec) > 0 {
		b.Queue(lookupsInsert, org, looked.field, looked.val, looked.rec)
	}
	if len(dead) > 0 {
		scope, seq, rec := deadColumns(dead)
		b.Queue(indexDelete, org, scope, seq, rec)
	}
	gone.queue(b, org)
}
