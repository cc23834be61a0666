package day_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/demo/day"
)

func TestWidth(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]int{
		"": 0, "abc": 3, "兴旺超市": 8, "K 的电话": 8, "（3店）": 7, "✓ · ¥": 5, "\x1b[32m✓\x1b[0m": 1, "𠮷": 2,
	} {
		require.Equal(t, want, day.Width(text), "%q", text)
	}
}

func TestFit(t *testing.T) {
	t.Parallel()

	require.Equal(t, "林晓  ", day.Fit("林晓", 6))
	require.Equal(t, "Lin   ", day.Fit("Lin", 6))
	require.Equal(t, "too long", day.Fit("too long", 3))
}

func TestWrap(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		text    string
		columns int
		lang    day.Lang
		want    []string
	}{
		{"nothing is a line", "", 10, day.English, []string{""}},
		{"between words", "one two three", 8, day.English, []string{"one two", "three"}},
		{"an exact fit", "one two", 7, day.English, []string{"one two"}},
		{"a name stays whole in English", "tag 老客户 here", 8, day.English, []string{"tag", "老客户", "here"}},
		{"between Chinese letters", "去掉标签老客户", 8, day.Chinese, []string{"去掉标签", "老客户"}},
		{"not before a comma", "去掉标签，加上", 8, day.Chinese, []string{"去掉标", "签，加上"}},
		{"not behind a bracket", "天钥桥（店）", 8, day.Chinese, []string{"天钥桥", "（店）"}},
		{"blanks in front are kept", "   address", 20, day.English, []string{"   address"}},
		{"what is too long is broken anywhere", "abcdefghij", 4, day.English, []string{"abc", "def", "ghij"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, tt.want, day.Wrap(tt.text, tt.columns, tt.lang))
		})
	}
}

func TestCount(t *testing.T) {
	t.Parallel()

	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		require.Equal(t, want, day.Count(n))
	}
}
