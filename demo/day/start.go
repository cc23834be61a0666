package day

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/record"
)

// How customer K and opportunity O are when the day begins, and what becomes
// of them.
const (
	nameK    = "康源生鲜超市（天钥桥路店）"
	shortK   = "康源"
	addressK = "上海市徐汇区天钥桥路327号底商5铺"
	movedK   = "上海市徐汇区天钥桥路329号1层"
	remarkK  = "老客户，老板娘管账，店长管陈列；冷柜两组，乳品动销好，周五下午补货。"
	amountO  = "68000.00"
	raisedO  = "85600.00"
	tagOld   = "老客户"
	tagCold  = "冷链"
	tagKey   = "重点"
)

var (
	phonesK = []string{"13816540982", "02164380126"}
	tagsK   = []string{tagOld, "社区店", "现结"}
)

// putCustomer puts customer K into the state in which the day begins.
func (d *day) putCustomer(ctx context.Context) error {
	d.k = demo.CustomerK()
	if d.he.view(d.k).Text("owner") != demo.PersonID("lin").String() {
		d.copies = true // somebody has deleted it or given it away
	}
	_, err := d.he.mutate(ctx, func(t *device.Typing) error {
		if d.copies {
			d.k = t.Create("account", device.Values{
				"name": nameK + d.mark, "short_name": shortK, "address": addressK, "remark": remarkK,
				"phones": phonesK, "tags": tagsK, "owner": demo.PersonID("lin").String(),
			})
			return nil
		}
		t.Edit("account", d.k, func(dr *device.Draft) {
			put(dr, "short_name", shortK)
			put(dr, "address", addressK)
			put(dr, "remark", remarkK)
			putAll(dr, "phones", phonesK)
			putAll(dr, "tags", tagsK)
		})
		return nil
	})
	return unlessAsItWas(err)
}

// putDeal does so with opportunity O.
func (d *day) putDeal(ctx context.Context) error {
	d.o = demo.OpportunityO()
	_, there := d.chen.Get(d.o)
	copies := d.copies || !there
	_, err := d.chen.mutate(ctx, func(t *device.Typing) error {
		if copies {
			d.o = t.Create("opportunity", device.Values{
				"account": d.k.String(), "name": "冷柜投放与乳品年度供货 " + d.mark, "stage": "qualified",
				"amount": yuan(amountO), "owner": demo.PersonID("lin").String(),
			})
			return nil
		}
		t.Edit("opportunity", d.o, func(dr *device.Draft) {
			put(dr, "stage", "qualified")
			if amountOf(dr.View()) != amountO {
				dr.Set("amount", yuan(amountO))
			}
		})
		return nil
	})
	return unlessAsItWas(err)
}

// putPlans makes sure that lin has something to do today: the demo org plans
// two weeks ahead of the day on which it was made, and no further.
func (d *day) putPlans(ctx context.Context) error {
	have, accounts := len(d.today(d.chen)), owned(d.chen, "account")
	if have >= stopsPerDay || len(accounts) < stopsPerDay {
		return nil
	}
	_, err := d.chen.mutate(ctx, func(t *device.Typing) error {
		for i := have; i < stopsPerDay; i++ {
			t.Create("visit_plan", device.Values{
				"account": accounts[i].String(), "date": d.date, "order": i + 1,
				"reason": "cycle", "status": "planned", "owner": demo.PersonID("lin").String(),
			})
		}
		return nil
	})
	return err
}

// put sets a field unless it is so already.
func put(dr *device.Draft, field, text string) {
	if dr.View().Text(field) != text {
		dr.Set(field, text)
	}
}

// putAll makes a set of just these elements.
func putAll(dr *device.Draft, field string, texts []string) {
	for _, now := range dr.View().Texts(field) {
		if !slices.Contains(texts, now) {
			dr.Remove(field, now)
		}
	}
	for _, want := range texts {
		if !slices.Contains(dr.View().Texts(field), want) {
			dr.Add(field, want)
		}
	}
}

// unlessAsItWas passes an error on, but not that there was nothing to change.
func unlessAsItWas(err error) error {
	if errs.CodeOf(err) == "empty" {
		return nil
	}
	return err
}

func yuan(amount string) map[string]string {
	return map[string]string{"amount": amount, "currency": "CNY"}
}

// amountOf is an opportunity's amount in yuan.
func amountOf(v device.View) string {
	var money struct {
		Amount json.RawMessage `json:"amount"`
	}
	if json.Unmarshal(v.Raw("amount"), &money) != nil {
		return ""
	}
	return strings.Trim(string(money.Amount), `"`)
}

// sorted is a set in the order in which sets are compared.
func sorted(texts ...string) []string { return slices.Sorted(slices.Values(texts)) }

// view is a record as somebody sees it, empty if he does not.
func (p *phone) view(id record.ID) device.View {
	v, _ := p.Get(id)
	return v
}
