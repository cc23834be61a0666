package day

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/modules/approvals"
	"roadbook/record"
	"roadbook/sync/wire"
)

// What has to be approved in the demo org, by code: a discount by Chen, one by Chen
// or the desk, and expenses, of which large ones are not approved with others.
var flows = []struct{ code, about, body string }{
	{"day_discount", "opportunity", `{"start": {"on": "submit", "when": "discount > 15.0 && discount < 50.0"},
		"relevant": ["discount", "amount"], "locked": ["stage"], "nodes": [{"name": "manager", "who": {"manager": 2}}]}`},
	{"day_either", "opportunity", `{"start": {"on": "submit", "when": "discount >= 50.0"}, "relevant": ["discount"],
		"nodes": [{"name": "either", "who": {"people": ["` + demo.PersonID("chen").String() + `", "` + demo.PersonID("he").String() + `"]}}]}`},
	{"day_expense", "expense", `{"start": {"on": "submit"}, "relevant": ["amount"], "nodes": [
		{"name": "manager", "who": {"manager": 2}, "alone": "amount > 5000.0"}],
		"approved": {"status": "approved"}, "rejected": {"status": "rejected"}}`},
}

// asked are the approvals of the manager's day.
type asked struct {
	plain, risky, either record.ID
	plainDeal, riskyDeal record.ID
	late                 record.ID // Chen's decision that comes second
	expenses             []record.ID
}

// publish has the flows be there. An administrator does that once.
func (d *day) publish(ctx context.Context) error {
	d.say("The administrator publishes what needs approval: discounts above 15 %%, and expenses.",
		"管理员发布审批流程：超过 15%% 的折扣，以及费用。")
	if err := d.admin.Want(wire.Want{Kinds: []string{"flow"}}); err != nil {
		return err
	}
	if err := d.signIn(ctx, d.admin); err != nil {
		return err
	}
	for _, f := range flows {
		there := false
		for _, v := range d.admin.List("flow") {
			there = there || v.Text("code") == f.code && v.Text("state") == "published"
		}
		if there {
			continue
		}
		if _, err := d.admin.mutate(ctx, func(t *device.Typing) error {
			t.Create("flow", device.Values{"code": f.code, "name": f.code, "about_kind": f.about, "body": f.body, "state": "published"})
			return nil
		}); err != nil {
			return err
		}
	}
	_, err := d.admin.mutate(ctx, func(t *device.Typing) error {
		t.Create("flow", device.Values{
			"code": "wrong_" + d.mark, "about_kind": "opportunity", "state": "published",
			"body": "{\n \"start\": {\"on\": \"submit\", \"when\": \"rabatt > 15.0\"}, \"relevant\": [\"discount\"],\n \"nodes\": [{\"name\": \"n\", \"who\": {\"manager\": 1}}]}",
		})
		return nil
	})
	d.check(err != nil && strings.Contains(err.Error(), "rabatt"),
		"a flow that cannot work is refused: where, why", "无法使用的流程被拒绝，并指出位置", "line 1, column 1: rabatt")
	return nil
}

// submit has Lin ask for what needs approval.
func (d *day) submit(ctx context.Context) error {
	d.say("Lin submits two quotes with 22 %% discount, one with 60 %%, and twelve expenses.",
		"林晓提交两份 22%% 折扣的报价、一份 60%% 的，以及十二笔费用。")
	ask := func(t *device.Typing, kind string, set device.Values) (about, approval record.ID) {
		set["account"] = d.k.String()
		about = t.Create(kind, set)
		return about, t.Create("approval", device.Values{"record": about.String()})
	}
	_, err := d.lin.mutate(ctx, func(t *device.Typing) error {
		quote := func(name, discount string) (record.ID, record.ID) {
			return ask(t, "opportunity", device.Values{"name": name + " " + d.mark, "stage": "proposal", "discount": discount, "amount": yuan("120000.00")})
		}
		d.asked.plainDeal, d.asked.plain = quote("冷柜报价", "22")
		d.asked.riskyDeal, d.asked.risky = quote("年度报价", "22")
		_, d.asked.either = quote("清仓报价", "60")
		for i := range 12 {
			amount := "120.00"
			if i%6 == 5 {
				amount = "9000.00"
			}
			_, a := ask(t, "expense", device.Values{"sort": "meal", "status": "draft", "amount": yuan(amount)})
			d.asked.expenses = append(d.asked.expenses, a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.chen.talk(ctx); err != nil {
		return err
	}
	v := d.chen.view(d.asked.risky)
	d.check(slices.Contains(v.Texts("waiting"), demo.PersonID("chen").String()) && strings.Contains(v.Text("facts"), `"22"`),
		"the quote waits for Chen, with its figures", "报价等待陈建国审批，附有数字", d.text("22 %%, ¥120000.00", "22%%，¥120000.00"))
	err = d.lin.Edit("opportunity", d.asked.plainDeal, func(dr *device.Draft) { dr.Set("stage", "won") })
	if err == nil {
		err = d.lin.talk(ctx)
	}
	refused := d.lin.Refused()
	d.check(err == nil && len(refused) > 0 && refused[len(refused)-1].Refusal.Code == "field_locked",
		"its stage is locked until then", "在此之前阶段被锁定", "field_locked")
	return err
}

// train has Chen decide where there is no network, and others go on meanwhile.
func (d *day) train(ctx context.Context) error {
	d.say("Chen decides in the tunnel: all that waits for him. Meanwhile Lin writes a next step into one quote and makes the other "+
		"30 %%, and He Jing rejects the third.",
		"陈建国在隧道里审批全部待办。与此同时，林晓在一份报价里写了下一步，把另一份改成 30%%，何静否决了第三份。")
	d.chen.dark()
	for _, a := range []record.ID{d.asked.plain, d.asked.risky, d.asked.either} {
		id, err := d.chen.Say(device.Saying{Approval: a, Decision: approvals.Approve, Comment: "同意"})
		if err != nil {
			return err
		}
		d.asked.late = id
	}
	for _, a := range d.asked.expenses {
		if _, err := d.chen.Say(device.Saying{Approval: a, Decision: approvals.Approve, Many: true}); err != nil {
			return err
		}
	}
	if _, err := d.lin.mutate(ctx, func(t *device.Typing) error {
		t.Edit("opportunity", d.asked.plainDeal, func(dr *device.Draft) { dr.Set("next_step", "明天送样") })
		t.Edit("opportunity", d.asked.riskyDeal, func(dr *device.Draft) { dr.Set("discount", "30") })
		return nil
	}); err != nil {
		return err
	}
	if err := d.he.talk(ctx); err != nil {
		return err
	}
	if _, err := d.he.Say(device.Saying{Approval: d.asked.either, Decision: approvals.Reject, Comment: "低于成本"}); err != nil {
		return err
	}
	return d.he.talk(ctx)
}

// tunnel looks at what became of it.
func (d *day) tunnel(ctx context.Context) error {
	d.say("The train leaves the tunnel.", "列车驶出隧道。")
	d.chen.home()
	if err := d.chen.talkOn(ctx); err != nil {
		return err
	}
	plain, risky, either := d.chen.view(d.asked.plain), d.chen.view(d.asked.risky), d.chen.view(d.asked.either)
	d.check(plain.Text("state") == approvals.Approved, "the unrelated change does not matter", "无关的改动不影响审批", plain.Text("state"))
	d.check(risky.Text("state") == approvals.Reconfirm && risky.Text("changed") == `[{"field":"discount","seen":"22","now":"30"}]`, "on 30 % nothing is approved; Chen sees both", "30% 未获批准，陈建国看到新旧值", "22 → 30")
	var told approvals.Told
	for _, v := range d.chen.List("approval_decision") {
		if v.Text("approval") == d.asked.either.String() && v.Text("outcome") == approvals.Late {
			_ = json.Unmarshal([]byte(v.Text("told")), &told)
		}
	}
	d.check(either.Text("state") == approvals.Rejected && told.By == demo.PersonID("he"),
		"the first decision stands; Chen is told whose", "先到的意见生效，陈建国得知是谁", told.Said+" "+names["he"].in(d.lang))
	counted, alone := 0, 0
	for _, a := range d.asked.expenses {
		switch d.chen.view(a).Text("state") {
		case approvals.Approved:
			counted++
		case approvals.Pending:
			alone++
		}
	}
	d.check(counted == 10 && alone == 2, "ten expenses at once, two by themselves", "十笔费用一次批准，两笔须单独确认", fmt.Sprintf("%d + %d", counted, alone))
	return nil
}

// cycled looks at how long it all took.
func (d *day) cycled(ctx context.Context) error {
	d.say("Chen looks at how long approvals take.", "陈建国查看审批用时。")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.BaseURL+"/v1/reports/approval-cycle", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+d.chen.Token())
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return errs.New("day.cycled", errs.Internal, "the report was answered with %s", res.Status)
	}
	var cycle approvals.Cycle
	if err := json.NewDecoder(res.Body).Decode(&cycle); err != nil {
		return err
	}
	for _, f := range cycle.Flows {
		if f.Code == "day_discount" && len(f.Nodes) > 0 {
			n := f.Nodes[0]
			d.check(n.Took.Count > 0 && n.Dark.Count > 0, "median per node, and apart that in the tunnel", "各节点中位用时，离线部分单列",
				fmt.Sprintf("%.1f s, %.1f s", n.Took.Median, n.Dark.Median))
			return nil
		}
	}
	d.check(false, "median per node, and apart that in the tunnel", "各节点中位用时，离线部分单列", "")
	return nil
}
