package contract

import (
	"bytes"
	"compress/gzip"
	"embed"
	"html/template"
	"io"
	"io/fs"

	"github.com/swaggest/swgui/v5/static"

	"roadbook/api/words"
)

//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/index.html"))

// PagePolicy lets the page load what this server has and nothing else. The
// viewer sets styles as it draws.
const PagePolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

type pageText struct{ Lang, Title, Lead, NoScript string }

var pageTexts = map[words.Language]pageText{
	words.English: {
		"en", "Roadbook API", "Everything that can be asked of this server, and what it answers. As a file:",
		"This page needs JavaScript. The files above say the same.",
	},
	words.Chinese: {
		"zh-CN", "Roadbook 接口文档", "本服务的全部接口：请求、响应和错误。文件下载：",
		"本页面需要启用 JavaScript，也可以直接查看上面的文件。",
	},
}

// Page is what people read the contract on.
func Page(lang words.Language) []byte {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, pageTexts[lang]); err != nil {
		panic(err) // it is filled from constants
	}
	return b.Bytes()
}

// Asset is a file that the page loads. Packed ones are in gzip.
type Asset struct {
	Text   []byte
	Type   string
	Packed bool
}

// assets are where the page's files lie. The viewer is Swagger UI.
var assets = map[string]struct {
	files       fs.FS
	path, media string
	packed      bool
}{
	"viewer.js":   {files: static.FS, path: "swagger-ui-bundle.js.gz", media: "text/javascript; charset=utf-8", packed: true},
	"viewer.css":  {files: static.FS, path: "swagger-ui.css.gz", media: "text/css; charset=utf-8", packed: true},
	"favicon.png": {files: static.FS, path: "favicon-32x32.png", media: "image/png"},
	"page.js":     {files: pageFiles, path: "page/page.js", media: "text/javascript; charset=utf-8"},
	"page.css":    {files: pageFiles, path: "page/page.css", media: "text/css; charset=utf-8"},
}

// AssetOf finds a file of the page.
func AssetOf(name string) (Asset, bool) {
	a, ok := assets[name]
	if !ok {
		return Asset{}, false
	}
	text, err := fs.ReadFile(a.files, a.path)
	return Asset{text, a.media, a.packed}, err == nil
}

// Unpacked is the file for those few who do not take gzip.
func (a Asset) Unpacked() ([]byte, error) {
	if !a.Packed {
		return a.Text, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(a.Text))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
