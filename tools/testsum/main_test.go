package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const run = `{"Action":"start","Package":"a"}
{"Action":"run","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"quiet\n"}
{"Action":"pass","Package":"a","Test":"TestGood","Elapsed":0.5}
{"Action":"output","Package":"a","Test":"TestBad","Output":"    bad_test.go:1: loud\n"}
{"Action":"fail","Package":"a","Test":"TestBad","Elapsed":1.5}
{"Action":"skip","Package":"a","Test":"TestLater","Elapsed":0}
{"Action":"output","Package":"a","Output":"FAIL\n"}
{"Action":"fail","Package":"a","Elapsed":2}
go: something else
{"ImportPath":"b","Action":"build-output","Output":"b.go:1: undefined: x\n"}
{"ImportPath":"b","Action":"build-fail"}
{"Action":"fail","Package":"b","Elapsed":0,"FailedBuild":"b"}
{"Action":"output","Package":"c","Test":"TestEndless","Output":"and on\n"}
{"Action":"output","Package":"c","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"c","Elapsed":600}
{"Action":"skip","Package":"d"}
`

func TestSummary(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	s := newSummary(&out)
	require.NoError(t, s.read(strings.NewReader(run)))
	s.end()

	text := out.String()
	require.True(t, strings.HasSuffix(text, "\n4 packages, 1 skipped\n\n1 passed, 3 failed\n"), text)
	for _, told := range []string{
		"FAIL a TestBad (1.50 s)\n    bad_test.go:1: loud\n", "go: something else\n", "b.go:1: undefined: x\n", "FAIL b (0.00 s)\n",
		"panic: test timed out\n", "not ended: c TestEndless\nand on\n", "    1.50 s  a TestBad\n    0.50 s  a TestGood\n",
	} {
		require.Contains(t, text, told)
	}
	require.NotContains(t, text, "quiet", "what passes is not shown")
	require.Equal(t, 3, s.failed)
}

// What is over the budget is counted, subtests with the test that has them.
func TestSummary_budget(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	s := newSummary(&out)
	require.NoError(t, s.read(strings.NewReader(`{"Action":"pass","Package":"a","Test":"TestJust","Elapsed":5}
{"Action":"pass","Package":"a","Test":"TestSlow","Elapsed":5.01}
{"Action":"pass","Package":"a","Test":"TestSlow/part","Elapsed":5.01}
`)))
	s.end()

	require.Equal(t, []name{{"a", "TestSlow"}}, s.over())
	require.Contains(t, out.String(), "\n1 over the budget of 5 s\n")
}

func TestSummary_nothing(t *testing.T) {
	t.Parallel()

	var out bytes.Buffer
	s := newSummary(&out)
	require.NoError(t, s.read(strings.NewReader("")))
	s.end()

	require.True(t, strings.HasSuffix(out.String(), "\n0 passed, 0 failed\n"))
}
