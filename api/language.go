package api

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// language is one that we can speak to a salesperson.
type language string

// Who does not say gets English: apps say, programs and their authors do not.
const (
	english language = "en"
	chinese language = "zh"
)

// languageOf is the one that the client likes best.
func languageOf(c *gin.Context) language { return preferred(c.GetHeader("Accept-Language")) }

// preferred reads an Accept-Language header such as "zh-CN,zh;q=0.9,en;q=0.8".
// Between equals the first stands.
func preferred(header string) language {
	best, most := english, 0.0
	for part := range strings.SplitSeq(header, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		lang := language(primary)
		if q := quality(params); (lang == english || lang == chinese) && q > most {
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
