package field_test

import (
	"strings"
	"testing"

	"roadbook/record/field"
)

var emailRows = []row{
	{"an address", `"lin@example.com"`, `"lin@example.com"`, ""},
	{"the domain becomes small, the rest does not", `" Lin.Xiao+1@Example.COM "`, `"Lin.Xiao+1@example.com"`, ""},
	{"in Chinese", `"林晓@例子.中国"`, `"林晓@例子.中国"`, ""},
	{"at the limit", mail(field.MaxEmailBytes), mail(field.MaxEmailBytes), ""},
	{"one past the limit", mail(field.MaxEmailBytes + 1), "", "e-mail"},
	{
		"the longest local part",
		`"` + strings.Repeat("a", 64) + `@b.cn"`,
		`"` + strings.Repeat("a", 64) + `@b.cn"`, "",
	},
	{"a longer local part", `"` + strings.Repeat("a", 65) + `@b.cn"`, "", "e-mail"},
	{"the longest label", `"a@` + strings.Repeat("b", 63) + `.cn"`, `"a@` + strings.Repeat("b", 63) + `.cn"`, ""},
	{"a longer label", `"a@` + strings.Repeat("b", 64) + `.cn"`, "", "e-mail"},
	{"a name too", `"Lin <lin@example.com>"`, "", "e-mail"},
	{"two addresses", `"a@b.cn,c@d.cn"`, "", "e-mail"},
	{"two addresses with a semicolon", `"a@b.cn;c@d.cn"`, "", "e-mail"},
	{"no @", `"example.com"`, "", "e-mail"},
	{"two @", `"a@b@c.cn"`, "", "e-mail"},
	{"no local part", `"@example.com"`, "", "e-mail"},
	{"no domain", `"lin@"`, "", "e-mail"},
	{"no top-level domain", `"lin@localhost"`, "", "e-mail"},
	{"a numeric host", `"lin@127.0.0.1"`, "", "e-mail"},
	{"a host in brackets", `"lin@[127.0.0.1]"`, "", "e-mail"},
	{"a dot first", `".lin@example.com"`, "", "e-mail"},
	{"a dot last", `"lin.@example.com"`, "", "e-mail"},
	{"two dots", `"l..in@example.com"`, "", "e-mail"},
	{"two dots in the domain", `"lin@example..com"`, "", "e-mail"},
	{"a hyphen first", `"lin@-example.com"`, "", "e-mail"},
	{"a hyphen last", `"lin@example-.com"`, "", "e-mail"},
	{"an underscore in the domain", `"lin@exa_mple.com"`, "", "e-mail"},
	{"a blank", `"l in@example.com"`, "", "e-mail"},
	{"an invisible character", `"lin\u200b@example.com"`, "", "e-mail"},
	{"quotes", `"\"lin\"@example.com"`, "", "e-mail"},
	{"a line break", `"lin@example.com\nbcc:a@b.cn"`, "", "e-mail"},
	{"nothing", `""`, "", "e-mail"},
	{"a list", `["lin@example.com"]`, "", "e-mail"},
}

func TestEmail(t *testing.T) {
	t.Parallel()
	testTable(t, "email")
}

// mail is an address of n bytes.
func mail(n int) string {
	domain := strings.Repeat(strings.Repeat("b", 30)+".", 8)
	return `"a@` + domain + strings.Repeat("c", n-len("a@")-len(domain)) + `"`
}
