package sync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/record"
)

// Who decides second may say so in several edits. He is told of each field once,
// and the same when he is told again.
func TestInbox_secondInSeveralEdits(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name  string
		edits []record.Values // of the conflict
		names []string        // that he gives the shop by the same mutation
		lost  map[string]string
	}{
		{"the word, and then the choice", []record.Values{values("state", "resolved"), values("chosen", "乙")}, nil, map[string]string{"chosen": `"乙"`}},
		{"the choice, and then the word", []record.Values{values("chosen", "乙"), values("state", "resolved")}, nil, map[string]string{"chosen": `"乙"`}},
		{"two choices", []record.Values{values("chosen", "乙"), values("chosen", "丙", "state", "resolved")}, nil, map[string]string{"chosen": `"丙"`}},
		{"the word, and then the same choice", []record.Values{values("state", "resolved"), values("chosen", "甲")}, nil, map[string]string{"chosen": `"甲"`}},
		{"another choice, and then the same", []record.Values{values("chosen", "乙"), values("chosen", "甲", "state", "resolved")}, nil, map[string]string{"chosen": `"甲"`}},
		{"the field twice", []record.Values{values("chosen", "丙", "state", "resolved")}, []string{"乙", "丙"}, map[string]string{"name": `"丙"`, "chosen": `"丙"`}},
		{"the field twice, at last the same", []record.Values{values("chosen", "甲", "state", "resolved")}, []string{"乙", "甲"}, map[string]string{"name": `"甲"`, "chosen": `"甲"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			w := newWorld(t)
			lin, chen, shop, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")
			lin.decide(asked, shop, "name", "甲")
			var edits []record.Edit
			for _, name := range tt.names {
				edits = append(edits, chen.edits(shop, values("name", name))...)
			}
			for _, set := range tt.edits {
				e := chen.change(asked)
				e.Set = set
				edits = append(edits, e)
			}
			chen.typed(edits...)
			lin.push()

			frame := chen.bytes(1)
			first := chen.push()[0]
			again, err := chen.send(frame)
			require.NoError(t, err)

			for _, o := range []record.Outcome{first, again[0]} {
				lost := map[string]string{}
				for _, c := range o.Clashes {
					require.Equal(t, "decided", c.Code)
					require.JSONEq(t, `"甲"`, string(c.Kept))
					require.NotContains(t, lost, c.Field, "it is told once")
					lost[c.Field] = string(c.Lost)
				}
				require.Equal(t, tt.lost, lost)
			}
		})
	}
}

// Who has read what somebody else has chosen, and chooses something else, has
// changed it, also if an own word that it is decided is still on its way: the word
// has seen less than the choice.
func TestInbox_aChangeOfMindBehindAnOwnWord(t *testing.T) {
	t.Parallel()

	for _, read := range []bool{true, false} {
		w := newWorld(t)
		lin, chen, shop, asked := clashed(t, w, "name", "兴旺", "兴旺超市", "兴旺百货")
		lin.decide(asked, shop, "name", "甲")
		word := chen.change(asked)
		word.Set = values("state", "resolved")
		chen.typed(word)
		lin.push()
		chen.pull()
		if !read {
			w.pass(time.Second)
			lin.decide(asked, shop, "name", "丁")
			lin.push()
		}
		edits := chen.edits(asked, values("state", "resolved", "chosen", "乙"))
		require.Len(t, edits, 2, "they have seen different things")
		chen.typed(edits...)

		out := chen.push()
		lin.pull()

		require.Equal(t, record.Merged, out[0].Result, "he had not read it")
		if read {
			require.Equal(t, record.Applied, out[1].Result, "%+v", out[1])
			require.Equal(t, "乙", lin.text(asked, "chosen"))
			require.Equal(t, chen.who.Person.String(), lin.text(asked, "resolver"))
		} else {
			require.Equal(t, record.Merged, out[1].Result, "not the last of it")
			require.Equal(t, "丁", lin.text(asked, "chosen"))
		}
	}
}
