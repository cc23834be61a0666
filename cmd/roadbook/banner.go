package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"roadbook/access"
	"roadbook/demo"
)

// shown are the people of the demo worth signing in as, by what they are.
var shown = []struct {
	role   access.Role
	logins []string
}{
	{access.Rep, []string{"lin", "zhou", "wang"}},
	{access.Manager, []string{"chen"}},
	{access.Service, []string{"he"}},
	{access.Finance, []string{"fin"}},
	{access.Admin, []string{"admin"}},
}

// banner says what runs, where, and who can sign in.
func (s *server) banner() {
	s.say("\nRoadbook is ready.\n")
	s.say("  address   %s", s.url())
	s.say("  data      %s", s.in.database(s.cfg))
	if s.hasDemo() {
		s.say("  sign in   org %s, password %s, as %s", demo.Name, demo.Password, signIns())
		s.say("  try       %s", s.next())
	} else {
		s.say("  sign in   there is no demo org; ROADBOOK_DEMO=true makes one, with a password that everybody knows")
	}
	s.say("  stop      Ctrl-C\n")
}

// signIns is "lin, zhou or wang (rep), chen (manager), …".
func signIns() string {
	var all []string
	for _, s := range shown {
		last := len(s.logins) - 1
		names := s.logins[last]
		if last > 0 {
			names = strings.Join(s.logins[:last], ", ") + " or " + names
		}
		all = append(all, fmt.Sprintf("%s (%s)", names, s.role))
	}
	return strings.Join(all, ", ")
}

// usualURL is where the demo looks for a server unless it is told otherwise.
const usualURL = "http://127.0.0.1:8080"

// next is what to type in another terminal.
func (s *server) next() string {
	if s.url() == usualURL {
		return "roadbook demo (or make demo), in another terminal"
	}
	return "roadbook demo --addr " + s.url() + ", in another terminal"
}

func (s *server) url() string { return urlOf(s.address.String()) }

// progress tells how far the making of an org has come, so many times.
func (c *console) progress(times int) func(done, all int) {
	told := 0
	return func(done, all int) {
		step := min(done, all) * times / max(all, 1)
		if told == 0 {
			c.say("making the org: %s records", thousands(all))
			told = 1
		}
		for ; told <= step && told < times; told++ {
			c.say("  %d %%", 100*told/times)
		}
	}
}

// thousands is a number as people write it.
func thousands(n int) string {
	digits := []byte(strconv.Itoa(n))
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = slices.Insert(digits, i, ',')
	}
	return string(digits)
}
