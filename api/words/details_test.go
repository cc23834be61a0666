package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"roadbook/errs"
	"roadbook/record"
)

func TestDetails(t *testing.T) {
	t.Parallel()

	for en, zh := range map[string]string{
		"must be one of: A, B, C":                                                       "必须是以下之一：A, B, C。",
		"must be one of: a: it has no, b":                                               "必须是以下之一：a: it has no, b。",
		"must be one of phone, mini, web":                                               "必须是以下之一：phone, mini, web。",
		"line 2, column 7: this must be filled in":                                      "第 2 行第 7 列：必须填写。",
		"must be one of the choices offered":                                            "必须是可选项之一。",
		"must be a date of the years 1900 to 2199":                                      "年份必须在 1900 到 2199 之间。",
		"must be a number between -9007199254740991 and 9":                              "必须是 -9007199254740991 到 9 之间的数字。",
		"must be the id of one account, a UUID of 36 characters":                        "必须是一条 account 记录的编号（36 个字符的 UUID）。",
		"must be a place with lat, lng and crs: crs is missing":                         "必须是包含 lat、lng 和 crs 的位置，缺少 crs。",
		`must be a place with lat, lng and crs: it has no "x: {1}`:                      `必须是包含 lat、lng 和 crs 的位置，不能有 "x: {1}。`,
		"location lat must be from -90 to 90":                                           "location 的 lat 必须在 -90 到 90 之间。",
		"amount must have at most 4 digits after the point":                             "amount 小数点后最多 4 位。",
		"row 3 must have an id that no other row has":                                   "第 3 行：id 不能与其他行重复。",
		"row 3 must be a number, such as 12 or 0.5":                                     "第 3 行：必须是数字，例如 12 或 0.5。",
		"visit has no such field":                                                       "visit 没有这个字段。",
		"this must be filled in":                                                        "必须填写。",
		"this would fall below -5":                                                      "结果不能低于 -5。",
		"the count would leave what can be counted exactly (±9)":                        "计数超出范围（±9）。",
		"compare score: must be a number, such as 12 or 0.5":                            "无法与原来的内容比较大小。",
		"at most 500 elements":                                                          "最多 500 项。",
		"has more than 64 characters":                                                   "不能超过 64 个字符。",
		"a month such as 2026-08 is expected":                                           "必须是月份，例如 2026-08。",
		"must be at most 64 KiB long; attach a longer text as a file":                   "最多 64 KiB，更长的文字请作为附件上传。",
		"must be one of: several\nlines":                                                "必须是以下之一：several\nlines。",
		"must be one e-mail address of at most 254 characters, such as lin@example.com": "必须是一个电子邮箱地址，最多 254 个字符，例如 lin@example.com。",
	} {
		got, ok := inChinese(en)
		require.True(t, ok, en)
		require.Equal(t, zh, got, en)
	}
	for _, en := range []string{"", "too wide", "row 3 too wide", "row 3 must be wide", "lat must be wide", "must be wide", "lat "} {
		got, ok := inChinese(en)
		require.False(t, ok, en)
		require.Empty(t, got, en)
	}
}

func TestExplain_fields(t *testing.T) {
	t.Parallel()

	grade, wide := errs.Field{Field: "grade", Detail: "must be one of: A, B"}, errs.Field{Field: "size", Detail: "too wide"}
	odd := errs.Field{Field: "max_bytes", Detail: "a whole number up to 9 is expected"}
	typed, invalid := messages["type"].zh, messages["invalid"].zh
	tests := []struct {
		name, code string
		fields     []errs.Field
		detail     string
		told       []string
	}{
		{"the first is named", "type", []errs.Field{grade, wide}, typed + "grade：必须是以下之一：A, B。", []string{"必须是以下之一：A, B。", typed}},
		{"what is not known is told by the code", "type", []errs.Field{wide, grade}, typed, []string{typed, "必须是以下之一：A, B。"}},
		{"a code without a sentence", "max_bytes", []errs.Field{odd, wide}, invalid + "max_bytes：必须是不超过 9 的整数。", []string{"必须是不超过 9 的整数。", invalid}},
		{"no code", "", []errs.Field{wide}, invalid, []string{invalid}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			given := slices.Clone(tt.fields)
			own := record.Refusal{Kind: errs.Invalid, Code: tt.code, Detail: "grade: too wide", Fields: given}

			zh, en := Refusal(&own, Chinese), Refusal(&own, English)

			require.Equal(t, tt.detail, zh.Detail)
			for i, f := range zh.Fields {
				require.Equal(t, errs.Field{Field: tt.fields[i].Field, Detail: tt.told[i]}, f)
			}
			require.Equal(t, own, *en)
			require.Equal(t, tt.fields, given, "the engine's own stay as they are")
			require.Equal(t, "grade: too wide", own.Detail)
		})
	}
}

// Each fragment is found under its own words, not under those of one before.
func TestDetails_inOrder(t *testing.T) {
	t.Parallel()

	for _, f := range slices.Concat(shaped(shapes), fragments) {
		got, ok := worded(strings.ReplaceAll(f.en, "%", "7"))
		require.True(t, ok, f.en)
		require.Equal(t, regexp.MustCompile(`\{\d\}`).ReplaceAllString(f.zh, "7"), got, f.en)
		require.False(t, strings.HasSuffix(f.zh, "。"), "the full stop is added: %s", f.en)
	}
}

// What the sources say of a field can be said in Chinese, and nothing is in
// the table that they do not say.
func TestDetails_allAreInChinese(t *testing.T) {
	t.Parallel()

	said := readSources(t).details
	require.Greater(t, len(said), len(fragments), "the scan finds what there is")
	for detail, where := range said {
		got, ok := inChinese(detail)
		require.True(t, ok, "%s says %q of a field: it needs a line in fragments, api/words/details.go", where, detail)
		require.True(t, strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Han, r) }), detail)
	}
	for i, f := range slices.Concat(shaped(shapes), fragments) {
		used := false
		for detail := range said {
			used = used || wordings()[i].en.MatchString(detail)
		}
		require.True(t, used, "nobody says %q any more: take it out of api/words/details.go", f.en)
	}
}

// sources are what the program says of fields, with samples for what it fills
// in.
type sources struct {
	t       *testing.T
	details map[string]string   // and where each is said
	samples map[string][]string // by the expression that they stand for
}

// elsewhere are expressions whose text is found where it is made. A sentence of
// sync/wire goes with its code.
var elsewhere = []string{"whereIn(rec.Text(\"filter\"), err)", "detail", "e.Msg", "err.Error()", "fmt.Sprintf(format, args...)"}

func readSources(t *testing.T) *sources {
	t.Helper()
	s := &sources{t: t, details: map[string]string{}, samples: map[string][]string{
		"err": {"must be text"}, "err.Error()": {"must be text"},
	}}
	s.samples["wrong.Msg"] = []string{"the condition cannot be used, at line 7, column 7: undeclared reference"}
	s.samples["unquoted(err)"] = []string{"it ends too early"}
	s.samples["bound"] = []string{"200"}
	s.samples["jsonName(wrong.Type.Kind())"] = []string{"text", "true or false", "an object", "a list", "a number"}
	files := map[string]*ast.File{}
	tree := os.DirFS("../..")
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (name == "clients" || name == "demo" || len(name) > 1 && name[0] == '.') {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") || name == "api/words/details.go" {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		files[name], err = parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution)
		return err
	}))
	for name, file := range files {
		if path.Dir(name) == "record/field" {
			ast.Inspect(file, s.shapes)
		}
	}
	for name, file := range files {
		for _, d := range file.Decls {
			ast.Inspect(d, func(n ast.Node) bool { s.node(name, d, n); return true })
		}
	}
	return s
}

// shapes notes what the objects with known members are called.
func (s *sources) shapes(n ast.Node) bool {
	if pair, ok := n.(*ast.KeyValueExpr); ok && types.ExprString(pair.Key) == "what" {
		s.samples["s.what"] = append(s.samples["s.what"], s.fill(pair.Value)...)
	}
	return true
}

// node notes what is said of a field here.
func (s *sources) node(name string, in ast.Decl, n ast.Node) {
	dir, function := path.Dir(name), ""
	if f, ok := in.(*ast.FuncDecl); ok {
		function = f.Name.Name
		if f.Recv != nil {
			function = types.ExprString(f.Recv.List[0].Type) + "." + function
		}
	}
	switch n := n.(type) {
	case *ast.CallExpr:
		called, args := types.ExprString(n.Fun), n.Args
		checks := dir == "record/field" || dir == "record/reminder" || dir == "conflicts" || name == "record/raw.go" || name == "record/schema.go" && function == "*Field.Check"
		switch {
		case checks && called == "errors.New", checks && called == "fmt.Errorf":
			s.note(name, args[0], args[1:]...)
		case dir == "modules/approvals" && called == "f.add":
			s.note(name, args[1], args[2:]...)
		case dir == "conflicts" && called == "s.fail":
			s.note(name, args[2], args[3:]...)
		case called == "r.wrong", called == "fault", called == "wrong" && dir == "record/reminder", called == "faulty" && dir == "modules/reminders":
			s.note(name, args[1])
		}
	case *ast.CompositeLit:
		if types.ExprString(n.Type) == "errs.Field" {
			s.note(name, n.Elts[1].(*ast.KeyValueExpr).Value)
		} else if list, ok := n.Type.(*ast.ArrayType); ok && types.ExprString(list.Elt) == "errs.Field" {
			for _, one := range n.Elts {
				s.note(name, one.(*ast.CompositeLit).Elts[1].(*ast.KeyValueExpr).Value)
			}
		}
	case *ast.AssignStmt:
		if types.ExprString(n.Lhs[0]) == "bad.Detail" {
			s.note(name, n.Rhs[0])
		}
	case *ast.ReturnStmt:
		if strings.HasSuffix(function, "Fault") && len(n.Results) == 1 {
			s.note(name, n.Results[0])
		}
	}
}

// note fills in a format, or a text without arguments, and keeps it.
func (s *sources) note(where string, format ast.Expr, args ...ast.Expr) {
	expr := types.ExprString(format)
	if slices.Contains(elsewhere, expr) || strings.Contains(expr, "Fault(") {
		return
	}
	require.Contains(s.t, expr, `"`, "%s says %s of a field: teach this test where that comes from", where, expr)
	for _, text := range s.fill(format) {
		for _, detail := range s.format([]string{text}, args) {
			if detail != "" {
				s.details[detail] = where
			}
		}
	}
}

// fill is what a text may be, with samples for what is no literal.
func (s *sources) fill(e ast.Expr) []string {
	switch e := e.(type) {
	case *ast.BasicLit:
		text := e.Value
		if e.Kind == token.STRING {
			var err error
			text, err = strconv.Unquote(e.Value)
			require.NoError(s.t, err)
		}
		return []string{text}
	case *ast.BinaryExpr:
		var out []string
		for _, x := range s.fill(e.X) {
			for _, y := range s.fill(e.Y) {
				out = append(out, x+y)
			}
		}
		return out
	case *ast.CallExpr:
		if types.ExprString(e.Fun) == "fmt.Sprintf" {
			return s.format(s.fill(e.Args[0]), e.Args[1:])
		}
	}
	if known := s.samples[types.ExprString(e)]; known != nil {
		return known
	}
	return []string{"stock"}
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[.\d]*([a-z])`)

// format puts samples in the place of verbs.
func (s *sources) format(texts []string, args []ast.Expr) []string {
	for next := 0; ; next++ {
		at := verb.FindStringSubmatchIndex(texts[0])
		if at == nil {
			return texts
		}
		if at[2] >= 0 {
			next, _ = strconv.Atoi(texts[0][at[2]:at[3]])
			next--
		}
		samples := []string{"7"}
		if kind := texts[0][at[4]:at[5]]; kind == "s" || kind == "w" {
			samples = s.fill(args[next])
		}
		var out []string
		for _, text := range texts {
			for _, sample := range samples {
				out = append(out, verb.ReplaceAllStringFunc(text, once(sample)))
			}
		}
		texts = out
	}
}

// once replaces the first of what it is asked about.
func once(by string) func(string) string {
	done := false
	return func(was string) string {
		if done {
			return was
		}
		done = true
		return by
	}
}
