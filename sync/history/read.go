package history

import (
	"encoding/json"
	"fmt"

	"roadbook/record"
)

// Logged is an edit as the log has kept it.
type Logged struct {
	Op     record.Op
	Kind   string
	ID     record.ID
	Set    record.Values
	Add    record.Values
	Remove record.Values
	Inc    record.Values
	Was    record.Values // what stood before in the fields that it has changed
	New    bool          // the record was not there
	Server bool          // the engine did this, nobody typed it
	Buried bool          // it met a delete that wins
}

// Read reads the edits of a row of the log.
func Read(body []byte) ([]Logged, error) {
	var in []struct {
		record.Edit

		P      record.Seq    `json:"p"`
		Was    record.Values `json:"was"`
		By     string        `json:"by"`
		Buried bool          `json:"buried"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("a row of the log is damaged: %w", err)
	}
	edits := make([]Logged, len(in))
	for i := range in {
		e := &in[i]
		edits[i] = Logged{
			Op: e.Op, Kind: e.Kind, ID: e.ID, Set: e.Set, Add: e.Add, Remove: e.Remove, Inc: e.Inc,
			Was: e.Was, New: e.P == 0, Server: e.By == "server", Buried: e.Buried,
		}
	}
	return edits, nil
}
