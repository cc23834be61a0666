package contract

import (
	"github.com/danielgtaylor/huma/v2"

	"roadbook/record"
	"roadbook/sync/wire"
)

// types say what the types of the frames stand for.
var types = map[string]string{
	"Stamp":    "Hybrid logical time.",
	"Mutation": "One action of one person; its edits stand or fall together.",
	"Again":    "Proof that a mutation was judged before, in an epoch that the server has lost.",
	"Durable":  "The position of the log that is known to be on a second machine or in the archive.",
	"Outcome":  "The verdict on one mutation.",
	"Clash":    "What became of a field that somebody else had changed too.",
	"Shown":    "A record's true values, for showing. Its base and seen come from pulls only.",
	"Problem":  "RFC 9457, with the members that a device acts on.",
	"Change":   "What a device is told about one record.",
	"Digest":   "What a device must hold of one scope, summed up.",
	"Want":     "What a device wishes to hold beside what it holds anyway.",
	"Withdraw": "Fields of a kind that the device holds no longer, or all of it if it names none.",
}

type change func(*huma.Schema)

func says(text string) change { return func(s *huma.Schema) { s.Description = text } }

func atMost(n int, text string) change {
	return func(s *huma.Schema) { s.MaxItems, s.Description = &n, text }
}

func upTo(n float64, text string) change {
	return func(s *huma.Schema) {
		low := 0.0
		s.Minimum, s.Maximum, s.Description = &low, &n, text
	}
}

const (
	ofEpoch = "The life of one log; it changes when a backup is restored."
	ofN     = "Counts a replica's mutations from 1, without holes."
	over    = "Per record the writes above the durable seq that its author had seen."
)

// members say what their types cannot, by schema and name.
var members = map[string]change{
	"LoginRequest.fresh": says("Ask for a new replica."),
	"DeviceInfo.install": says("Made with the local store; dies with it."),
	"DeviceInfo.kind": func(s *huma.Schema) {
		s.Enum = []any{"phone", "mini", "web", "connector"}
	},
	"LoginAnswer.expires_in": says("Seconds."),
	"LoginAnswer.judged_id":  says("The id of the mutation before next_n; empty before n 1."),
	"LoginAnswer.next_n":     says(ofN),
	"LoginAnswer.epoch":      says(ofEpoch),

	"Push.prev":      says("The id of the mutation before the first; empty before n 1."),
	"Push.epoch":     says(ofEpoch),
	"Push.cursor":    says("Where the device stands, as the last pull said: it proves to a server that was restored without a word what the device has seen."),
	"Push.sent_ms":   says("What the device's clock said as it sent this."),
	"Push.schema":    says("The version of the schema that the device works with."),
	"Push.mutations": atMost(wire.MaxPush, "With consecutive n."),

	"Mutation.n":      says(ofN),
	"Mutation.schema": says("The version under which it was typed."),
	"Mutation.after":  atMost(wire.MaxAfter, "n of the same replica, or ids of mutations, whose fate it shares."),
	"Mutation.edits":  atMost(record.MaxEdits, "What is done to which record."),

	"Edit.seen":   says("What its author had seen of the record."),
	"Edit.set":    says("Fields that get a new value, or null."),
	"Edit.add":    says("Elements that are added to set fields, as lists."),
	"Edit.remove": says("Elements that are taken out of set fields, as lists."),
	"Edit.inc":    says("What is added to counters."),
	"Edit.base":   says("Of long texts: what the author started from."),

	"Again.over":      says(over),
	"Again.epoch":     says(ofEpoch),
	"Again.receipt":   says("As it stood in the outcome; without it nothing is proved."),
	"Again.apart":     says("Typed before the server said that this device's log is not its past: what its author had seen counts for nothing."),
	"Durable.epoch":   says(ofEpoch),
	"PushAnswer.high": says("No stamp that the server has seen is later."),

	"PushAnswer.next_n": says(ofN),
	"PushAnswer.epoch":  says(ofEpoch),

	"Outcome.n":        says(ofN),
	"Outcome.stamp":    says("Left out when it is the one that was sent."),
	"Outcome.over":     says(over),
	"Outcome.receipt":  says("Proof of this verdict; kept in the journal until it is durable."),
	"Outcome.clamped":  says("The device's clock was ahead and was set right."),
	"Outcome.repeated": says("It had been judged before."),
	"Outcome.records":  says("After a refusal, or where something else stands now than was typed."),

	"Refusal.detail": says("A sentence for a person, in the language of Accept-Language."),
	"Refusal.code":   says("For programs; stable once released."),

	"Clash.code":     says("The policy, or what else decided."),
	"Clash.conflict": nullable("The conflict that was opened for it."),
	"Shown.set":      says("Fields and their values."),

	"PullRequest.cursor":    says("Empty for a first sync."),
	"PullRequest.max_bytes": upTo(wire.MaxPageBytes, "0 stands for 900,000."),
	"PullRequest.wait_ms":   upTo(wire.MaxWaitMS, "How long to wait for something to send."),
	"PullRequest.digest":    says("Ask for digests of the scopes."),
	"Want.pins":             atMost(wire.MaxPins, "Accounts to hold with all that belongs to them; what is left out of want stays as it was."),
	"Want.kinds":            atMost(wire.MaxKinds, "Only these kinds; none at all stands for every kind."),
	"Want.from": func(s *huma.Schema) {
		s.Pattern, s.Description = "^([0-9]{4}-[0-9]{2})?$", "The first month."
	},

	"PullAnswer.drop_scopes":  says("Scopes that the device holds no longer; applied first."),
	"PullAnswer.withdraw":     says("Applied second."),
	"PullAnswer.want":         says("What the device is shown from here on; applied third. On a first page, and when it has changed."),
	"PullAnswer.changes":      says("Applied last."),
	"PullAnswer.outcomes":     says("Verdicts that the device may have missed."),
	"PullAnswer.cursor":       says("Where the next page begins; opaque."),
	"PullAnswer.complete":     says("This was the last page of what there is."),
	"PullAnswer.filling":      says("Scopes are still being filled: ask again even if complete."),
	"PullAnswer.pins_refused": says("Those in want.pins that are not there for the person."),
	"PullAnswer.horizon":      says("The oldest place from which changes can be told."),
	"PullAnswer.epoch":        says(ofEpoch),
	"PullAnswer.schema": func(s *huma.Schema) {
		*s = huma.Schema{Ref: schemasPath + "Schema"}
	},

	"Change.full": says("`set` holds every field that the actor may see."),
	"Change.in":   says("The scopes through which the device holds the record; absent means unchanged."),

	"Digest.sum": func(s *huma.Schema) { s.Pattern = "^[0-9a-f]{16}$" },

	"Problem.detail": says("A sentence for a person."),
	"Problem.code":   says("For programs; stable once released."),
	"Problem.from_n": says(ofN),
	"Problem.next_n": says(ofN),
	"Problem.ids":    says("n to id, of the last 64."),
	"Problem.epoch":  says(ofEpoch),
	"Problem.apart":  says("The device has seen a log that is not this one's past: it starts over, and says of all it has typed until now that it was typed apart."),
}

// nullable is for a reference that may be null, which a type cannot be.
func nullable(text string) change {
	return func(s *huma.Schema) {
		*s = huma.Schema{Description: text, AnyOf: []*huma.Schema{{Ref: s.Ref}, {Type: "null"}}}
	}
}
