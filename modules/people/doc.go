// Package people is who works here: organisations, sign-in and devices, and
// the rule that turns the tree of units into rights. A manager sees what the
// people of his units see; an office role sees everybody; a person who has
// left sees nothing.
//
// What a person is called and which unit he is in are records, edited like any
// other. Only what must never reach a device is kept here: password hashes,
// sessions and the count of wrong passwords.
package people
