package roadbook_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/conflicts"
	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/sync"
)

const conflictsPage = "docs/conflicts.md"

// plain is what becomes of a field with a policy, for somebody who leads a sales
// team and has never heard of one.
type plain struct {
	name, both, loser, asked string
}

var plainly = map[record.Policy]plain{
	record.LWW:     {"Later wins", "The later change stands.", "In the field's history; the second is told, and either can be put back.", "Nobody."},
	record.LWWAsk:  {"Later wins, and somebody looks", "The later change stands.", "In the field's history; the second is told.", "The owner and the manager."},
	record.Text:    {"Texts are merged", "Both are in: line by line, and within a line from comma to comma.", "Nothing is lost. Where both changed the same words, both versions stand, marked 【1】 and 【2】.", "The owner and the manager, only where both changed the same words."},
	record.Process: {"Steps of a process", "The tables below say which step stands. A step that cannot follow from what was on the screen is sent back with the reason.", "In the field's history; the second is told.", "Where the table says so."},
	record.List:    {"Lists are merged row by row", "Each row is merged on its own, and each column of it; in one column the later change stands. A row that one deleted and another edited stays.", "In the field's history; the second is told.", "The owner and the manager, only where a row was deleted and edited."},
	record.Manual:  {"Only people decide", "Neither: what stood before stays in force until somebody decides.", "All versions are in the inbox, with who wrote them and when.", "The owner and the manager. The next change by somebody who has seen all versions decides."},
	record.Set:     {"Collections", "All additions are in. A removal takes away only what its author had seen.", "Nothing is lost.", "Nobody."},
	record.Counter: {"Counted", "Both amounts count. One that would go below the least is sent back.", "Nothing is lost.", "Nobody."},
	record.Max:     {"Latest or largest", "The larger value stands.", "In the field's history; the second is told.", "Nobody."},
	record.Min:     {"Earliest or smallest", "The smaller value stands.", "In the field's history; the second is told.", "Nobody."},
	record.Once:    {"Written once", "The first that the server accepted stands, for ever.", "In the field's history; the second is told.", "Nobody."},
	record.Owned:   {"Somebody else's", "What the owner writes stands (finance, the ERP); of two owners the later. What anybody else writes is asked of the owner.", "In a change request, with who asks and when, until the owner answers.", "The owner. His next change of the field by somebody who knows of it is the answer, or he declines."},
	record.Server:  {"The server's own", "Nobody but the server writes it.", "–", "Nobody."},
}

// What happens when two people change the same thing is written down from the
// code that does it.
func TestConflicts_page(t *testing.T) {
	t.Parallel()

	want := pageOfConflicts(t)
	if *update {
		require.NoError(t, os.WriteFile(conflictsPage, []byte(want), 0o600))
		return
	}
	require.Equal(t, want, read(t, conflictsPage), "go test -run TestConflicts_page -update .")
}

func pageOfConflicts(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# When two people change the same thing\n\n<!-- written by go test -run TestConflicts_page -update . -->\n\n" +
		"Every field has a rule for what becomes of two changes that were made without knowledge of each other: two phones without a\n" +
		"signal, a phone and the office. Whoever had seen a value and changes it has no conflict: his change stands. It makes no\n" +
		"difference whose phone reaches the server first, except where it says *first*, and in texts and lists that three or more have\n" +
		"changed at the same time. What an administrator changes in the schema changes these tables.\n\n" +
		"*Told* means: whoever comes second is told at once which of the two stands; the other has it with his next sync. *Asked* means: a\n" +
		"conflict is in the inbox, with both values.\n\n## The rules\n\n" +
		"| Rule | In the schema | If two change it | The other value | Who is asked | Fields |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, p := range record.Policies() {
		words, there := plainly[p]
		require.True(t, there, "nobody has said in plain words what becomes of a field with the policy %s", p)
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", words.name, p, words.both, words.loser, words.asked, fieldsWith(p))
	}
	fmt.Fprintf(&b, "\nFields that belong together, an address and its point on the map, count as one. At most %d versions of one field can wait for a\n"+
		"decision; the next is sent back. A record that one deletes and another changes stays, and the owner is asked.\n", conflicts.MaxVersions)
	fmt.Fprintf(&b, "\n## The inbox\n\nWhat waits for a decision is in the inbox of the owner and of his manager, by customer, with or without a network: what stood before,\n"+
		"and of each version who wrote it, when and on which device. Whoever decides keeps his, keeps the other, keeps both (of texts and lists), or enters\n"+
		"something else; he may hand it to somebody who sees the record. It is decided once: if two do so at the same time, the first who reaches the\n"+
		"server stands, and the other is told who that was. Nobody need go to the inbox who writes the field and knows both sides. After %d days the\n"+
		"question is closed, and what stands goes on standing. What was sent back is in another list, with the reason and what to do about it; it can be\n"+
		"mended and sent again, together with what was sent back because of it.\n", int(sync.DecideWithin.Hours()/24))
	for _, k := range shipped.Schema().Kinds {
		for _, f := range k.Fields {
			if f.Policy == record.Process {
				b.WriteString(pageOfProcess(k, f))
			}
		}
	}
	return b.String()
}

// fieldsWith names the shipped fields that have a policy, by kind.
func fieldsWith(p record.Policy) string {
	var out []string
	for _, k := range shipped.Schema().Kinds {
		var names []string
		for _, f := range k.Fields {
			if f.Policy == p && !slices.Contains(everyKind, f.Name) && k.Name != "conflict" && k.Name != "request" && k.Name != "reserve" {
				names = append(names, strings.ToLower(f.Label["en"]))
			}
		}
		if len(names) > 0 {
			out = append(out, k.Label["en"]+": "+strings.Join(names, ", "))
		}
	}
	if len(out) == 0 {
		return "none that is shipped"
	}
	return strings.Join(out, ". ")
}

// pageOfProcess says which step may follow which, and what each two come to.
func pageOfProcess(k *record.Kind, f *record.Field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s: %s\n\n| From | It can go to |\n| --- | --- |\n", k.Label["en"], strings.ToLower(f.Label["en"]))
	begins := "any"
	if len(f.States.Begin) > 0 {
		begins = strings.Join(f.States.Begin, ", ")
	}
	fmt.Fprintf(&b, "| new | %s |\n", begins)
	for _, from := range f.Choices {
		to := strings.Join(f.States.Moves[from], ", ")
		if to == "" {
			to = "nothing"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", from, to)
	}
	b.WriteString("\n| One says | The other says | Then it is | Who is asked or told |\n| --- | --- | --- | --- |\n")
	for i, one := range f.Choices {
		for _, other := range f.Choices[i+1:] {
			is, told := f.Join(one, other), ""
			switch {
			case is.Ask:
				is.State, told = "what it was before, until somebody decides", "the owner and the manager decide: both are in the inbox"
			case is.Note:
				told = "a note in the inbox of the owner and the manager; the second is told"
			default:
				told = "the second is told"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", one, other, is.State, told)
		}
	}
	return b.String()
}
