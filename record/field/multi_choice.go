package field

// multiChoice is one element of a set of choices: a choice like any other.
type multiChoice struct{ choice }
