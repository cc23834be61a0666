package day

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	device "roadbook/clients/go"
	"roadbook/demo"
	"roadbook/errs"
	"roadbook/record"
)

// stopsPerDay is how many visits are planned for lin's today.
const stopsPerDay = 6

// office brings the office online and puts everything that the day needs into
// the state in which it begins.
func (d *day) office(ctx context.Context) error {
	d.say("He Jing (service desk) and Chen Jianguo (Lin's manager) work online all day. They put customer K and "+
		"opportunity O back to how this day begins.",
		"客服何静和经理陈建国全天在线。两人先把客户 K 和商机 O 恢复到这一天开始时的样子。")
	for _, p := range []*phone{d.he, d.chen} {
		began := d.Now()
		if err := d.signIn(ctx, p); err != nil {
			return err
		}
		d.fact("%s: %s records, %s compressed, %s", "%s：%s 条记录，压缩后 %s，%s", p.name.in(d.Lang),
			count(p.Status().Records), kilobytes(p.wifi.Stats().BytesDown), d.seconds(d.Now().Sub(began)))
	}
	for _, put := range []func(context.Context) error{d.putCustomer, d.putDeal, d.putPlans} {
		if err := put(ctx); err != nil {
			return err
		}
	}
	return d.he.talk(ctx)
}

// firstSync is lin's phone, new and empty, on Wi-Fi.
func (d *day) firstSync(ctx context.Context) error {
	d.say("Lin signs in on a new phone and syncs for the first time, on Wi-Fi.", "林晓在新手机上登录，用 Wi-Fi 首次同步。")
	began := d.Now()
	if err := d.lin.SignIn(ctx, demo.Name, d.lin.login, demo.Password); err != nil {
		return err
	}
	before := d.lin.wifi.Stats().BytesDown
	all, err := d.lin.Pull(ctx)
	if err != nil {
		return err
	}
	took, bytes := d.Now().Sub(began), d.lin.wifi.Stats().BytesDown-before
	d.fact("%s records in %d pages, %s compressed, %s with the sign-in", "%s 条记录，分 %d 页，压缩后 %s，含登录用时 %s",
		count(d.lin.Status().Records), all.Pages, kilobytes(bytes), d.seconds(took))
	if err := d.secondPull(ctx); err != nil {
		return err
	}
	return d.signIn(ctx, d.zhou)
}

// secondPull asks for what is new when nothing is. It asks again if somebody
// else is at work on the server.
func (d *day) secondPull(ctx context.Context) error {
	var news device.Report
	var bytes int64
	var mine, his []record.ID
	for range rounds {
		before := d.lin.wifi.Stats().BytesDown
		var err error
		if news, err = d.lin.Pull(ctx); err != nil {
			return err
		}
		bytes = d.lin.wifi.Stats().BytesDown - before
		if err := d.he.talk(ctx); err != nil {
			return err
		}
		mine, his = owned(d.lin, "account"), owned(d.he, "account")
		if news.Changes == 0 && slices.Equal(mine, his) {
			break
		}
	}
	d.fact("asked again: %d changes, %s", "再问一次：%d 处变化，%s", news.Changes, kilobytes(bytes))

	least := min(420, len(d.he.List("account"))*14/100) // lin's share, also of a smaller demo org
	d.check(slices.Equal(mine, his) && len(mine) >= least,
		"every customer of Lin's is on the phone", "林晓的客户全部在手机上",
		d.text("%d, at least %d; the desk agrees", "%d 家（不少于 %d），与客服所见一致", len(mine), least))
	d.check(news.Changes == 0 && news.Pages == 1, "a second pull brings nothing", "再次拉取没有任何变化",
		d.text("%s on the line", "线路上 %s", kilobytes(bytes)))
	return nil
}

// dark takes the network away for the day.
func (d *day) dark(ctx context.Context) error {
	d.say("Lin and Zhou Min leave, and the network is gone until the evening. Lin's plan is worked out on the phone:",
		"林晓和周敏出门，直到傍晚都没有网络。今天的拜访由手机自己算出：")
	d.lin.dark()
	d.zhou.dark()
	if err := d.chen.talk(ctx); err != nil {
		return err
	}
	_, err := d.lin.Pull(ctx)
	d.check(errs.CodeOf(err) == "offline", "no request gets through", "任何请求都发不出去",
		d.text("there is no network", "没有网络"))

	stops := d.today(d.lin)
	readable := len(stops) > 0
	for i, s := range stops {
		account, there := d.lin.Get(reference(s, "account"))
		readable = readable && there && account.Text("name") != ""
		d.fact("%d  %s  %s", "%d  %s  %s", i+1, clock(s.Text("window_from")), account.Text("name"))
	}
	seen := len(d.today(d.chen))
	d.check(len(stops) >= stopsPerDay && len(stops) == seen, "today's plan is there, as the manager sees it",
		"今天的计划在手机上，与经理所见一致", d.text("%d stops", "%d 站", len(stops)))
	accounts, visits, products := len(d.lin.List("account")), len(d.lin.List("visit")), len(d.lin.List("product"))
	d.check(readable && visits > 0 && products > 0, "customers, visits and products are readable", "客户、拜访和产品都能查看",
		d.text("%s customers, %s visits, %s products", "%s 家客户、%s 次拜访、%s 种产品",
			count(accounts), count(visits), count(products)))
	return nil
}

// today is lin's plan as a phone works it out: by the calendar of the org, in
// the order that he chose.
func (d *day) today(p *phone) []device.View {
	lin := demo.PersonID("lin").String()
	stops := slices.DeleteFunc(p.List("visit_plan"), func(v device.View) bool {
		return v.Text("date") != d.date || v.Text("owner") != lin
	})
	slices.SortStableFunc(stops, func(a, b device.View) int {
		return cmp.Compare(a.Number("order"), b.Number("order"))
	})
	return stops
}

// owned are lin's records of a kind, as somebody sees them.
func owned(p *phone, kind string) []record.ID {
	lin := demo.PersonID("lin").String()
	var ids []record.ID
	for _, v := range p.List(kind) {
		if v.Text("owner") == lin {
			ids = append(ids, v.ID)
		}
	}
	return ids
}

// reference is the record that a field names.
func reference(v device.View, field string) record.ID {
	id, err := record.ParseID(v.Text(field))
	if err != nil {
		return record.NoID
	}
	return id
}

// clock is the time of day of an instant, where the demo org is.
func clock(instant string) string {
	t, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return "     "
	}
	return t.In(demo.Midnight(t).Location()).Format("15:04")
}

// shop is a customer that a rep has found, with the man behind the counter.
type shop struct {
	name        string
	phone       string
	id, contact record.ID
	visit       record.ID // zhou's
}

// newCustomer is made without a network, ids and all.
func (d *day) newCustomer(context.Context) error {
	d.say("Lin finds a new customer, 兴旺超市, and enters it with a contact and a telephone number.",
		"林晓发现新客户兴旺超市，当场录入，并记下联系人和电话。")
	d.shop = d.found()
	if err := d.enter(d.lin, &d.shop); err != nil {
		return err
	}
	account, there := d.lin.Get(d.shop.id)
	contact, known := d.lin.Get(d.shop.contact)
	d.fact("%s · 马兴旺 · %s", "%s · 马兴旺 · %s", account.Text("name"), d.list(account.Texts("phones")))
	d.check(there && known && account.Pending && reference(contact, "account") == d.shop.id,
		"兴旺超市 and its contact are there at once", "兴旺超市和联系人立即可见",
		d.text("ids made by the phone", "编号由手机生成"))
	return nil
}

// found is a shop of this run. The number differs from run to run.
func (d *day) found() shop {
	return shop{name: "兴旺超市（" + d.mark + "店）", phone: "138" + digits(d.mark, 8)}
}

// enter types the shop and its contact as one action.
func (d *day) enter(p *phone, s *shop) error {
	_, err := p.Mutate(func(t *device.Typing) error {
		s.id = t.Create("account", device.Values{
			"name": s.name, "industry": "retail", "grade": "B", "source": "cold_visit", "stage": "prospect",
			"phones": []string{s.phone}, "address": "上海市徐汇区裕德路112号",
		})
		s.contact = t.Create("contact", device.Values{
			"account": s.id.String(), "name": "马兴旺", "title": "老板", "role": "owner",
			"mobiles": []string{s.phone}, "is_decision_maker": true,
		})
		return nil
	})
	return err
}

// sameName is a colleague who is dark too and finds the same shop.
func (d *day) sameName(context.Context) error {
	d.say("Zhou Min, without a network too, finds the same 兴旺超市, enters it as well and logs a visit there.",
		"周敏同样没有网络，也找到了这家兴旺超市，自己又录入一次，并写下一次拜访。")
	d.twin = d.found()
	if err := d.enter(d.zhou, &d.twin); err != nil {
		return err
	}
	var err error
	d.twin.visit, err = d.zhou.Create("visit", device.Values{
		"account": d.twin.id.String(), "check_in": evidence(d.Now(), 0), "status": "open",
		"summary": "新店开业两周，冷柜空着一半，可以先铺乳品。",
	})
	if err != nil {
		return err
	}
	d.check(d.zhou.Status().Outbox == 2, "Zhou's customer and visit wait in the outbox", "周敏的新客户和拜访在待发队列里",
		d.text("%d actions", "%d 个操作", d.zhou.Status().Outbox))
	return nil
}

// evidence is what a phone says of a check-in, some metres from customer K.
func evidence(at time.Time, metres int) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(`{"time_device":%q,"time_since_boot_ms":%d,"location":`+
		`{"lat":%.6f,"lng":121.440731,"crs":"gcj02","accuracy":25}}`,
		at.UTC().Format("2006-01-02T15:04:05Z"), at.UnixMilli()%100_000_000, 31.188412+float64(metres)/111_320))
}

// digits makes the digits of a telephone number out of a mark.
func digits(mark string, n int) string {
	x := uint64(0)
	for _, c := range []byte(mark) {
		x = x*131 + uint64(c)
	}
	s := fmt.Sprint(x * 2_654_435_761 % 1_000_000_000)
	return (s + strings.Repeat("7", n))[:n]
}
