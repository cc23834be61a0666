package match_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"roadbook/record/match"
)

// rules are much like the shipped ones.
var rules = &match.Rules{
	Keys:    map[string]string{"name": "company", "tax_no": "code", "phones": "phone"},
	Certain: [][]string{{"tax_no"}, {"name", "phones"}},
	Likely:  [][]string{{"phones"}, {"name"}},
	Forms:   []string{"有限公司", "有限责任公司", "股份有限公司", "Co., Ltd.", "Ltd", "Limited", "Inc", "L.L.C."},
	Country: "86",
}

func TestRules_Spell_isOneForWhatIsOne(t *testing.T) {
	t.Parallel()

	for how, same := range map[string][][]string{
		"company": {
			{"兴旺超市", " 兴旺 超市", "兴旺超市有限公司", "兴旺超市有限责任公司", "兴旺超市 (有限公司)", "兴旺超市股份有限公司有限公司"},
			{"Lucky Trading", "LUCKY TRADING CO., LTD", "Lucky-Trading Co Ltd.", "ｌｕｃｋｙ　trading Inc.", "Lucky Trading L.L.C."},
			{"Zinc", "ZINC Ltd"},
			{"兴旺（上海）商贸有限公司", "兴旺(上海)商贸"},
		},
		"phone": {
			{"13800138000", "+86 138 0013 8000", "0086-138-0013-8000", "86 13800138000", "（＋８６）１３８ ００１３ ８０００", "(+86)13800138000"},
			{"021-6234 5678", "+86 21 62345678", "(021)62345678", "0086 021 62345678"},
			{"+1 415 555 0100", "001 415-555-0100"},
		},
		"code": {{"91310000MA1K35P12X", "91310000ma1k35p12x", " 9131 0000 MA1K 35P1 2X", "９１３１００００ＭＡ１Ｋ３５Ｐ１２Ｘ"}},
	} {
		for _, spellings := range same {
			for _, s := range spellings {
				require.Equal(t, rules.Spell(how, spellings[0]), rules.Spell(how, s), "%s: %q", how, s)
				require.NotEmpty(t, rules.Spell(how, s), s)
			}
		}
	}
}

func TestRules_Spell_keepsApartWhatIsTwo(t *testing.T) {
	t.Parallel()

	for how, pairs := range map[string][][2]string{
		"company": {{"兴旺超市", "兴旺商店"}, {"Zinc", "Z Inc"}, {"兴旺超市南京路店", "兴旺超市"}, {"兴旺1店", "兴旺2店"}, {"有限公司", "Ltd"}},
		"phone":   {{"13800138000", "13800138001"}, {"021-62345678", "010-62345678"}, {"+1 4155550100", "4155550100"}},
		"code":    {{"91310000MA1K35P12X", "91310000MA1K35P12Y"}},
	} {
		for _, p := range pairs {
			require.NotEqual(t, rules.Spell(how, p[0]), rules.Spell(how, p[1]), "%s: %q", how, p)
		}
	}
	for how, nothing := range map[string][]string{
		"phone": {"", "110", "0000000000", "111111111111", "电话"}, "code": {"", "无", "00000000000", "1234567"}, "company": {"", "--", "（）"},
	} {
		for _, s := range nothing {
			require.Empty(t, rules.Spell(how, s), "%s: %q tells nothing", how, s)
		}
	}
}

func TestRules_Spell_twiceChangesNothing(t *testing.T) {
	t.Parallel()

	rapid.Check(t, func(t *rapid.T) {
		how := rapid.SampledFrom([]string{"company", "phone", "code", "text"}).Draw(t, "how")
		parts := rapid.SliceOf(rapid.OneOf(
			rapid.SampledFrom(append([]string{"+", "00", "86", "0", " ", "(", "1", "138", "Co", "兴", "İ", "ß", "Ａ"}, rules.Forms...)), rapid.String(),
		)).Draw(t, "parts")
		once := rules.Spell(how, strings.Join(parts, ""))
		if twice := rules.Spell(how, once); twice != once {
			t.Fatalf("%q became %q", once, twice)
		}
	})
}

func FuzzRules_Spell(f *testing.F) {
	f.Add("兴旺超市有限公司 Co., Ltd")
	f.Add("+86 (0)138-0013-8000")
	f.Fuzz(func(t *testing.T, s string) {
		for _, how := range []string{"company", "phone", "code", "text"} {
			once := rules.Spell(how, s)
			require.Equal(t, once, rules.Spell(how, once), how)
			require.Equal(t, once, rules.Spell(how, " "+s+" "), "space around it: %s", how)
		}
	})
}

func TestRules_Of(t *testing.T) {
	t.Parallel()

	keysOf := func(name, tax string, phones ...string) []match.Key {
		return rules.Of(func(field string) []string {
			return map[string][]string{"name": {name}, "tax_no": {tax}, "phones": phones}[field]
		})
	}
	one := keysOf("兴旺超市", "", "13800138000", "021-62345678")

	for what, c := range map[string]struct {
		other           []match.Key
		shared, certain bool
	}{
		"name and a phone":  {keysOf("兴旺超市有限公司", "", "+86 138 0013 8000"), true, true},
		"a phone":           {keysOf("福来小吃", "", "02162345678"), true, false},
		"the name":          {keysOf("兴旺超市", "91310000MA1K35P12X"), true, false},
		"nothing":           {keysOf("福来小吃", "91310000MA1K35P12X", "13900139000"), false, false},
		"two empty numbers": {keysOf("福来小吃", ""), false, false},
	} {
		key, shared := match.Shared(one, c.other)
		require.Equal(t, c.shared, shared, what)
		require.Equal(t, c.certain, key.Certain, what)
	}
	seen := map[string]bool{}
	for _, k := range one {
		require.False(t, seen[k.Index()], "each key has an index of its own")
		seen[k.Index()] = true
	}
	require.Equal(t, []string{"name", "phones"}, rules.Fields(one[0]))
}

func TestRules_Of_isBounded(t *testing.T) {
	t.Parallel()

	for _, n := range []int{match.MaxValues, match.MaxValues + 1} {
		keys := rules.Of(func(field string) []string {
			var out []string
			for i := range n {
				out = append(out, "1380013800"+string(rune('0'+i))+strings.Repeat("1", 3))
			}
			if field != "phones" {
				return []string{"兴旺"}
			}
			return out
		})
		require.Len(t, keys, match.MaxValues+match.MaxValues+1, "with and without the name, and the name")
	}
}
