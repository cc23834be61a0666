package field

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Digits after the point of an amount. The two it is padded to are what nearly
// all currencies use; the four it may have are those of unit prices.
const (
	MinMoneyDigits = 2
	MaxMoneyDigits = 4
)

var (
	errAmountFine  = fmt.Errorf("must have at most %d digits after the point", MaxMoneyDigits)
	errCurrency    = errors.New("must be three capital letters, such as CNY")
	errCurrencies  = errors.New("field: amounts of different currencies have no order")
	errNotCurrency = errors.New("field: an amount without its currency has no order")
)

// money is an amount and its currency. Which currencies an org uses is for its
// rules to say.
type money struct{}

var moneyShape = shape{
	what: `an amount with its currency, such as {"amount":"12.50","currency":"CNY"}`,
	parts: []part{
		{"amount", true, checkAmount},
		{"currency", true, checkCurrency},
	},
}

// The places of the parts.
const (
	moneyAmount = iota
	moneyCurrency
)

// Check returns the amount as a string with at least two digits after the
// point, then the currency.
func (money) Check(_ Spec, raw json.RawMessage) (json.RawMessage, error) {
	return moneyShape.check(raw)
}

func (money) compare(a, b json.RawMessage) (int, error) {
	x, in, err := readMoney(a)
	if err != nil {
		return 0, err
	}
	y, other, err := readMoney(b)
	if err != nil {
		return 0, err
	}
	if in != other {
		return 0, errCurrencies
	}
	return x.compare(y), nil
}

func readMoney(raw json.RawMessage) (quantity, string, error) {
	given, err := moneyShape.read(raw)
	if err != nil {
		return quantity{}, "", err
	}
	currency, err := Text(given[moneyCurrency])
	if err != nil {
		return quantity{}, "", errNotCurrency
	}
	q, err := parseQuantity(given[moneyAmount])
	return q, currency, err
}

func checkAmount(raw json.RawMessage) (json.RawMessage, error) {
	q, err := parseQuantity(raw)
	if err != nil {
		return nil, err
	}
	if len(q.part) > MaxMoneyDigits {
		return nil, errAmountFine
	}
	return quote(q.text(MinMoneyDigits)), nil
}

func checkCurrency(raw json.RawMessage) (json.RawMessage, error) {
	s, err := Text(raw)
	if err != nil || len(s) != 3 {
		return nil, errCurrency
	}
	for _, c := range s {
		if c < 'A' || c > 'Z' {
			return nil, errCurrency
		}
	}
	return quote(s), nil
}
