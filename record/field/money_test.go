package field_test

import "testing"

var moneyRows = []row{
	{"an amount", yuan("12.50"), yuan("12.50"), ""},
	{"members in the other order", `{ "currency":"CNY", "amount":"12.50" }`, yuan("12.50"), ""},
	{"two digits at least", yuan("12"), yuan("12.00"), ""},
	{"four at most", yuan("0.1234"), yuan("0.1234"), ""},
	{"needless digits go", yuan("+0012.5000000"), yuan("12.50"), ""},
	{"a number", `{"amount":12.5,"currency":"CNY"}`, yuan("12.50"), ""},
	{"below zero", yuan("-3"), yuan("-3.00"), ""},
	{"zero has no sign", yuan("-0"), yuan("0.00"), ""},
	{"yen too", `{"amount":"100","currency":"JPY"}`, `{"amount":"100.00","currency":"JPY"}`, ""},
	{"the largest", yuan("999999999999999.9999"), yuan("999999999999999.9999"), ""},
	{"one digit too large", yuan("1000000000000000"), "", "amount must have at most 15"},
	{"one digit too fine", yuan("0.12345"), "", "amount must have at most 4"},
	{"no amount", `{"currency":"CNY"}`, "", "amount is missing"},
	{"no currency", `{"amount":"1"}`, "", "currency is missing"},
	{"a null currency", `{"amount":"1","currency":null}`, "", "currency is missing"},
	{"a small currency", `{"amount":"1","currency":"cny"}`, "", "currency must be three capital letters"},
	{"a short currency", `{"amount":"1","currency":"CN"}`, "", "three capital letters"},
	{"a long currency", `{"amount":"1","currency":"CNYX"}`, "", "three capital letters"},
	{"a currency that is a number", `{"amount":"1","currency":156}`, "", "three capital letters"},
	{"a further member", `{"amount":"1","currency":"CNY","tax":"1"}`, "", `has no "tax"`},
	{"a member twice", `{"amount":"1","currency":"CNY","amount":"2"}`, "", "once"},
	{"a member twice, once in disguise", `{"amount":"1","currency":"CNY","\u0061mount":"2"}`, "", "once"},
	{"a bare amount", `"12.50"`, "", "amount with its currency"},
	{"a list", `["12.50","CNY"]`, "", "amount with its currency"},
	{"cut off", `{"amount":"1"`, "", "amount with its currency"},
}

func TestMoney(t *testing.T) {
	t.Parallel()
	testTable(t, "money")
}

func yuan(amount string) string { return `{"amount":"` + amount + `","currency":"CNY"}` }
