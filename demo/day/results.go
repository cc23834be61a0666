package day

import (
	"context"
	"maps"
	"slices"
	"strings"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/record"
)

// merged looks at what became of the records that several people changed, on
// the devices of everybody who may see them.
func (d *day) merged(ctx context.Context) error {
	d.say("Everybody pulls. What became of the records that two people changed:", "所有人拉取。两人都改过的记录结果如下：")
	for _, p := range []*phone{d.lin, d.zhou, d.he, d.chen} {
		p.home()
		if err := p.talk(ctx); err != nil {
			return err
		}
	}
	k := d.lin.view(d.k)
	phones, tags := sorted(d.newPhoneOfK(), phonesK[1]), sorted("社区店", "现结", tagCold, tagKey)
	d.fact("K  phones   %s", "K  电话  %s", d.list(k.Texts("phones")))
	d.fact("   address  %s", "   地址  %s", k.Text("address"))
	d.fact("   tags     %s", "   标签  %s", d.list(k.Texts("tags")))
	d.check(d.everywhere(d.k, func(v device.View) bool { return slices.Equal(sorted(v.Texts("phones")...), phones) }),
		"K has Lin's number", "K 的电话是林晓改的", d.list(k.Texts("phones")))
	d.check(d.everywhere(d.k, func(v device.View) bool { return v.Text("address") == movedK }),
		"K has He Jing's address", "K 的地址是何静改的", k.Text("address"))
	d.check(d.everywhere(d.k, func(v device.View) bool { return slices.Equal(sorted(v.Texts("tags")...), tags) }),
		"K's tags: the old − 老客户 + 冷链 + 重点", "K 的标签：原有 − 老客户 + 冷链 + 重点", d.list(k.Texts("tags")))
	_, err := d.lin.verdict(d.edits.k)
	d.check(err == nil && d.conflictsAbout("phones", "address", "tags") == 0 && len(d.lin.told[d.edits.k].Clashes) == 0,
		"K: no conflict about these", "K：这些字段没有冲突", d.text("0 conflicts", "0 个冲突"))

	o := d.lin.view(d.o)
	d.fact("O  stage    %s", "O  阶段  %s", o.Text("stage"))
	d.fact("   amount   ¥%s", "   金额  ¥%s", amountOf(o))
	d.check(d.everywhere(d.o, func(v device.View) bool {
		return v.Text("stage") == "proposal" && amountOf(v) == raisedO
	}) && len(d.lin.told[d.edits.o].Clashes) == 0,
		"O has Lin's stage and Chen's amount", "O 既有林晓的阶段，也有陈建国的金额",
		d.text("%s, ¥%s, 0 conflicts", "%s，¥%s，0 个冲突", o.Text("stage"), amountOf(o)))
	return nil
}

// everywhere reports whether something holds of a record on the devices of all
// three who may see it. The service desk sees no opportunities.
func (d *day) everywhere(id record.ID, holds func(device.View) bool) bool {
	return holds(d.lin.view(id)) && holds(d.chen.view(id)) && (id == d.o || holds(d.he.view(id)))
}

// conflictsAbout counts the conflicts about these fields of customer K that
// are still open.
func (d *day) conflictsAbout(fields ...string) int {
	n := 0
	for _, v := range d.lin.List("conflict") {
		if reference(v, "record") == d.k && v.Text("state") == "open" && slices.Contains(fields, v.Text("field")) {
			n++
		}
	}
	return n
}

// inbox is where lin finds what needs his eyes, and settles it.
func (d *day) inbox(ctx context.Context) error {
	d.say("Of the clash Lin is told twice: with the verdict, what was kept and what was lost; and in the inbox, where "+
		"the remark waits for a decision.",
		"冲突会告诉林晓两次：裁决里写明保留了什么、放弃了什么；备注则进入收件箱等人决定。")
	told := map[string]record.Clash{}
	for _, c := range d.lin.told[d.edits.names].Clashes {
		told[c.Field] = c
		d.fact("%s: kept %s, lost %s", "%s：保留 %s，放弃 %s", c.Field, c.Kept, c.Lost)
	}
	short, remark := told["short_name"], told["remark"]
	d.check(d.everywhere(d.k, func(v device.View) bool { return v.Text("short_name") == shortByHe }) &&
		text(short.Kept) == shortByHe && text(short.Lost) == shortByLin,
		"the later short name stands, and Lin is told", "简称以较晚的为准，并告知林晓",
		d.text("kept %s, lost %s", "保留 %s，放弃 %s", text(short.Kept), text(short.Lost)))
	if remark.Conflict == nil {
		d.check(false, "the remark is in Lin's inbox, with both values", "备注连同两个值进入林晓的收件箱", "—")
		return nil
	}
	asked := d.lin.view(*remark.Conflict)
	values := string(asked.Raw("values"))
	d.check(asked.Kind == "conflict" && asked.Text("state") == "open" && reference(asked, "record") == d.k &&
		strings.Contains(values, remarkByLin) && strings.Contains(values, remarkByHe),
		"the remark is in Lin's inbox, with both values", "备注连同两个值进入林晓的收件箱",
		d.text("a conflict, %s", "一条冲突，状态 %s", asked.Text("state")))
	return d.decide(ctx, *remark.Conflict)
}

// decide settles a conflict: lin joins the two remarks.
func (d *day) decide(ctx context.Context, conflict record.ID) error {
	both := remarkByHe + remarkByLin
	_, err := d.lin.mutate(ctx, func(t *device.Typing) error {
		t.Edit("account", d.k, func(dr *device.Draft) { dr.Set("remark", both) })
		t.Edit("conflict", conflict, func(dr *device.Draft) {
			dr.Set("chosen", both)
			dr.Set("state", "resolved")
			dr.Set("resolver", demo.PersonID("lin").String())
		})
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.he.talk(ctx); err != nil {
		return err
	}
	d.check(d.he.view(d.k).Text("remark") == both && d.conflictsAbout("remark") == 0,
		"Lin joins the two, and the inbox is empty", "林晓把两条备注合在一起，收件箱清空", d.text("resolved", "已解决"))
	return nil
}

func text(raw []byte) string { return record.Values{{Field: "is", Raw: raw}}.Text("is") }

// arrived counts on another device what has arrived of the fifty.
func (d *day) arrived(ctx context.Context) error {
	d.say("Chen counts on another device: of every visit and every follow-up, exactly one.",
		"陈建国在另一台设备上清点：每次拜访、每条跟进都恰好一条。")
	if err := d.chen.talk(ctx); err != nil {
		return err
	}
	d.once("visit", "summary", said{"50 of 50 visits have arrived, each once", "50 次拜访全部到达，各恰好一次"})
	d.once("follow_up", "content", said{"50 of 50 follow-ups have arrived, each once", "50 条跟进全部到达，各恰好一次"})

	shops := slices.DeleteFunc(d.chen.List("account"), func(v device.View) bool {
		return v.Text("name") != d.shop.name
	})
	d.fact("%s is there %d time: the two that were entered have become one", "%s共有 %d 家：两次录入已合并为一家", d.shop.name, len(shops))
	at := func(id record.ID) record.ID { return reference(d.chen.view(id), "account") }
	there := len(shops) == 1 && at(d.shop.contact) == shops[0].ID && at(d.twin.contact) == shops[0].ID && at(d.twin.visit) == shops[0].ID
	d.check(there, "one 兴旺超市, with both contacts and the visit", "只有一家兴旺超市，联系人和拜访都在",
		d.text("Lin's and Zhou's", "林晓一家，周敏一家"))
	return nil
}

// once checks that chen has each of this run's records of a kind once, going by
// what they say and not by their ids.
func (d *day) once(kind, field string, what said) {
	found := map[string]int{}
	for _, v := range d.chen.List(kind) {
		if s := v.Text(field); strings.Contains(s, "演示"+d.mark+"·") {
			found[s]++
		}
	}
	once := 0
	for _, n := range found {
		if n == 1 {
			once++
		}
	}
	d.check(once == all && len(found) == all, what.en, what.zh,
		d.text("%d once, %d more often", "一次 %d 条，多次 %d 条", once, len(found)-once))
}

// rounds is how often it is compared while somebody else is at work on the
// same server.
const rounds = 5

// equal compares everybody with everybody.
func (d *day) equal(ctx context.Context) error {
	d.say("Home, on Wi-Fi. A new phone of Lin's is filled by the server alone and compared with the one of the day, "+
		"field by field; so is what Chen sees of Lin's records.",
		"到家，连上 Wi-Fi。林晓再登录一台新手机，内容全部来自服务器，与用了一天的手机逐字段比对；陈建国看到的林晓的记录也同样比对。")
	fresh, err := d.newPhone("lin", false)
	if err != nil {
		return err
	}
	defer func() { _ = fresh.Close() }()
	if err := d.signIn(ctx, fresh); err != nil {
		return err
	}
	var server, manager comparison
	for range rounds {
		for _, p := range []*phone{d.lin, d.zhou, d.he, d.chen, fresh} {
			if err := p.talk(ctx); err != nil {
				return err
			}
		}
		server, manager = compare(d.lin, fresh, nil), compare(d.lin, d.chen, []string{"user"})
		if server.equal() && manager.equal() {
			break
		}
	}
	d.check(server.equal(), "Lin's phone equals the server, field by field", "林晓的手机与服务器逐字段一致", d.compared(server))
	d.check(manager.equal(), "Chen sees the same of Lin's records", "陈建国看到的林晓的记录相同", d.compared(manager))
	waiting, faults := 0, 0
	for _, p := range []*phone{d.lin, d.zhou, d.he, d.chen} {
		waiting += p.Status().Outbox + p.Status().Settled
		faults += p.Status().Faults
	}
	d.check(waiting == 0 && faults == 0, "all outboxes are empty", "待发队列全部清空",
		d.text("4 devices, %d faults of the server", "4 台设备，服务器差错 %d 处", faults))
	return nil
}

// comparison is how one device stands to another.
type comparison struct {
	records int
	differ  []string // records that are not the same on both
}

func (c comparison) equal() bool { return c.records > 0 && len(c.differ) == 0 }

func (d *day) compared(c comparison) string {
	if c.equal() {
		return d.text("%s records", "%s 条记录", count(c.records))
	}
	return d.text("%d of %s differ, such as %s", "%d/%s 条不同，例如 %s", len(c.differ), count(c.records), c.differ[0])
}

// kinds are those of the shipped schema.
var kinds = []string{
	"account", "contact", "opportunity", "visit_plan", "visit", "follow_up", "task", "conflict",
	"product", "unit", "user",
}

// compare looks up everything that p holds on other, and what other holds of
// lin's on p. Of the kinds left out the two may see different fields.
func compare(p, other *phone, without []string) comparison {
	var c comparison
	for _, kind := range kinds {
		if slices.Contains(without, kind) {
			continue
		}
		for _, v := range p.List(kind) {
			c.records++
			if !same(v, other.view(v.ID)) {
				c.differ = append(c.differ, kind+" "+v.ID.String())
			}
		}
		for _, id := range owned(other, kind) {
			if _, there := p.Get(id); !there {
				c.differ = append(c.differ, kind+" "+id.String())
			}
		}
	}
	return c
}

func same(a, b device.View) bool {
	return !a.Pending && !b.Pending && a.Kind == b.Kind && a.Seq == b.Seq && maps.Equal(fields(a), fields(b))
}

func fields(v device.View) map[string]string {
	set := make(map[string]string, len(v.Values))
	for _, f := range v.Values {
		if raw := v.Raw(f.Field); raw != nil {
			set[f.Field] = string(raw)
		}
	}
	return set
}
