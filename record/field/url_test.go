package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var urlRows = []row{
	{"a page", `"https://example.com/a?b=c#d"`, `"https://example.com/a?b=c#d"`, ""},
	{
		"scheme and host become small, the path does not",
		`" HTTPS://Example.COM/Path?Q "`,
		`"https://example.com/Path?Q"`, "",
	},
	{"only a host", `"HTTP://EXAMPLE.com"`, `"http://example.com"`, ""},
	{"a query at once", `"http://EXAMPLE.com?Q=1"`, `"http://example.com?Q=1"`, ""},
	{"a port", `"http://10.0.0.1:8080/"`, `"http://10.0.0.1:8080/"`, ""},
	{"a numeric host of version six", `"http://[::1]/"`, `"http://[::1]/"`, ""},
	{"in Chinese", `"https://例子.中国/路径?问=答"`, `"https://例子.中国/路径?问=答"`, ""},
	{"escaped slashes", `"https:\/\/example.com\/"`, `"https://example.com/"`, ""},
	{"percent signs are left alone", `"https://example.com/%e5%85%B4"`, `"https://example.com/%e5%85%B4"`, ""},
	{"at the limit", address(field.MaxURLBytes), address(field.MaxURLBytes), ""},
	{"one past the limit", address(field.MaxURLBytes + 1), "", "at most 2048"},
	{"no scheme", `"example.com"`, "", "web address"},
	{"half a scheme", `"//example.com"`, "", "web address"},
	{"no host", `"https:///path"`, "", "web address"},
	{"a port and no host", `"https://:80"`, "", "web address"},
	{"no slashes", `"https:example.com"`, "", "web address"},
	{"a script", `"javascript:alert(1)//http://a.cn"`, "", "web address"},
	{"a file", `"file://host/etc/passwd"`, "", "web address"},
	{"mail", `"mailto:lin@example.com"`, "", "web address"},
	{"a password", `"https://lin:secret@example.com/"`, "", "without a user name"},
	{"a backslash", `"https://example.com\\@evil.com/"`, "", "web address"},
	{"a blank", `"https://example.com/a b"`, "", "web address"},
	{"a line break", `"https://example.com/a\nb"`, "", "web address"},
	{"a bad percent sign", `"https://example.com/%zz"`, "", "web address"},
	{"a port that is none", `"https://example.com:port/"`, "", "web address"},
	{"nothing", `""`, "", "web address"},
	{"a number", `1`, "", "web address"},
}

func TestURL(t *testing.T) {
	t.Parallel()
	testTable(t, "url")
}

// address is a web address of n bytes.
func address(n int) string {
	const start = "https://example.com/"
	return `"` + start + strings.Repeat("a", n-len(start)) + `"`
}
