// Package words is what people read when something goes wrong: a sentence for
// every code of failure and for everything that is said of one field, in
// English and in Chinese. The engine speaks English and codes; this package
// puts them into the reader's language where they leave the process. It is
// pure, and knows nothing of HTTP but the header that names a language.
package words

import (
	"strconv"
	"strings"
)

// Language is one that we can speak to a salesperson.
type Language string

// Who does not say gets English: apps say, programs and their authors do not.
const (
	English Language = "en"
	Chinese Language = "zh"
)

// Preferred reads an Accept-Language header such as "zh-CN,zh;q=0.9,en;q=0.8".
// Between equals the first stands.
func Preferred(header string) Language {
	best, most := English, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		lang := Language(primary)
		if q := quality(params); (lang == English || lang == Chinese) && q > most {
			best, most = lang, q
		}
	}
	return best
}

func quality(params string) float64 {
	value, ok := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !ok {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
