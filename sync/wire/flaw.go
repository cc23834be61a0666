package wire

import "roadbook/errs"

// The codes of what can be wrong with a frame. They travel, so a released one
// is never renamed.
const (
	codeEnvelope = "envelope" // the frame itself cannot be read
	codeMany     = "many"     // more than MaxPush mutations
	codeN        = "n"        // an n that is no count from 1 to 2^53
	codeOrder    = "order"    // the n of one push are not consecutive

	codeMalformed = "malformed" // not JSON
	codeUTF8      = "utf8"      // text that is not UTF-8
	codeSurrogate = "surrogate" // half a character
	codeNUL       = "nul"       // the character U+0000
	codeDeep      = "deep"      // more than MaxDepth levels
	codeSize      = "size"      // too many bytes
	codeDuplicate = "duplicate" // a name that stands twice in an object
	codeMember    = "member"    // a member of the wrong type, or where none may be
	codeStamp     = "stamp"     // no time, or none of 1970 to 2200
	codeAfter     = "after"     // more than MaxAfter ties
	codeEdits     = "edits"     // more than MaxEdits
	codeEmpty     = "empty"     // no edits at all
	codeOp        = "op"        // an operation that this server does not know
	codeID        = "id"        // an edit of no record
)

// sentences say what each means to the person who typed it.
var sentences = map[string]string{
	codeEnvelope: "The app and the server do not understand each other. Nothing was saved; please update the app.",
	codeMany:     "The app sent more than 500 changes at once. Nothing was saved; please update the app.",
	codeN:        "The app counted its changes wrongly. Nothing was saved; please update the app.",
	codeOrder:    "The app sent its changes out of order. Nothing was saved; please update the app.",

	codeMalformed: "This change arrived garbled and was not saved. Please update the app and enter it again.",
	codeUTF8:      "This change contains text that cannot be read. Please enter the text again.",
	codeSurrogate: "This change contains half a character, perhaps of an emoji. Please delete it and save again.",
	codeNUL:       "This change contains an invisible character that cannot be stored. Please enter the text again.",
	codeDeep:      "This change is nested too deeply and was not saved. Please update the app.",
	codeSize:      "This change is too large to be saved. Please make it smaller, or save it in parts.",
	codeDuplicate: "This change names the same field twice, so it is not clear what was meant. Please enter it again.",
	codeMember:    "The app sent a part of this change that the server does not understand. Please update the app.",
	codeStamp:     "The clock of this device was wrong when this was entered. Please set it and enter the change again.",
	codeAfter:     "This change depends on too many others. Please wait for a sync and enter it again.",
	codeEdits:     "This change touches more than 50 records. Please save fewer at a time.",
	codeEmpty:     "This change is empty: there is nothing in it to save.",
	codeOp:        "The app asked for something that the server cannot do yet. Nothing of this change was saved.",
	codeID:        "This change does not say which record it is for. Please update the app and enter it again.",
}

// flaw is what is wrong with a mutation, and where; the zero flaw is none.
type flaw struct {
	code string
	at   string // "edits[1].seen"
}

// invalid is the error of a code; at names the member, if it is known.
func invalid(op, code, at string) *errs.Error {
	e := &errs.Error{Op: op, Kind: errs.Invalid, Code: code, Msg: sentences[code]}
	if at != "" {
		e.Fields = []errs.Field{{Field: at, Detail: e.Msg}}
	}
	return e
}
