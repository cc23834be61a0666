package day

import (
	"strings"
	"unicode/utf8"
)

// wide are the letters that take two columns of a terminal: Chinese ones and
// their punctuation.
var wide = [][2]rune{
	{0x1100, 0x115f},
	{0x2e80, 0x303e},
	{0x3041, 0xa4cf},
	{0xac00, 0xd7a3},
	{0xf900, 0xfaff},
	{0xfe30, 0xfe6f},
	{0xff00, 0xff60},
	{0xffe0, 0xffe6},
	{0x1f300, 0x1faff},
	{0x20000, 0x3fffd},
}

func isWide(r rune) bool {
	for _, span := range wide {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

// width is how many columns a text takes. What colours it takes none.
func width(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] == '\x1b' {
			i += strings.IndexByte(s[i:], 'm') + 1
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		i += size
		n++
		if isWide(r) {
			n++
		}
	}
	return n
}

// fit fills a text with blanks up to a width.
func fit(s string, columns int) string {
	return s + strings.Repeat(" ", max(0, columns-width(s)))
}

// wrap breaks a text into lines of at most so many columns: between words, and
// in a Chinese text between letters, but not before a comma or behind a
// bracket. What is too long for a line is broken anywhere.
func wrap(s string, columns int, lang Lang) []string {
	var lines []string
	line := ""
	for _, p := range pieces(s, lang, columns) {
		if line != "" && width(line)+width(strings.TrimRight(p, " ")) > columns {
			lines = append(lines, strings.TrimRight(line, " "))
			line = ""
		}
		line += p
	}
	return append(lines, strings.TrimRight(line, " "))
}

// pieces are what stays on one line: a word with the blanks behind it, or a
// Chinese letter with the punctuation that belongs to it.
func pieces(s string, lang Lang, columns int) []string {
	var all []string
	start, last := 0, rune(0)
	for i, r := range s {
		switch {
		case i == start:
		case last == ' ' && r != ' ',
			lang == Chinese && mayBreak(last, r),
			width(s[start:i])+2 > columns:
			all = append(all, s[start:i])
			start = i
		}
		last = r
	}
	return append(all, s[start:])
}

// mayBreak reports whether a Chinese text may be broken between two letters.
func mayBreak(before, after rune) bool {
	if after == ' ' || strings.ContainsRune("，。；：！？、）》」”’…·%", after) || strings.ContainsRune("（《「“‘¥", before) {
		return false
	}
	return isWide(before) || isWide(after)
}
