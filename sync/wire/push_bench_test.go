package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/sync/wire"
)

// pushOf is a push of n mutations like those of a day in the field, about 415
// bytes each.
func pushOf(n int) []byte {
	mutations := make([]string, n)
	for i := range mutations {
		mutations[i] = fmt.Sprintf(`{"n":%d,"id":"01932b4e-7c1a-7f00-8a00-%012x","schema":"3",`+
			`"stamp":{"ms":%d,"c":0},"edits":[{"op":"edit","kind":"account",`+
			`"id":"01912b4e-7c1a-7f00-8a00-%012x","seen":{"log":"%d"},`+
			`"set":{"name":"兴旺超市 %d","short_name":"兴旺","address":"中山路 12 号","visited_on":"2026-11-21",`+
			`"credit":{"amount":"12500.00","currency":"CNY"},"remark":"spoke to the owner, new shelf next week"},`+
			`"add":{"tags":["冷链"]},"inc":{"points":5}}]}`, i+1, i+1, 1763712930123+i, i%50, 800+i, i)
	}
	return []byte(`{"replica":"k7f2","epoch":"e1","prev":"","sent_ms":1763712995000,"schema":"3","mutations":[` +
		strings.Join(mutations, ",") + `]}`)
}

func BenchmarkReadPush(b *testing.B) {
	body := pushOf(200)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		push, err := wire.ReadPush(body)
		require.NoError(b, err)
		require.Len(b, push.Mutations, 200)
	}
}
