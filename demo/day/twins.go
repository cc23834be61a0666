package day

import (
	"context"
	"slices"

	device "roadbook/clients/go"
	"roadbook/record"
)

// twoAgain has zhou say that the two customers that became one are two: it was
// another shop of the same owner. Each has its own back.
func (d *day) twoAgain(ctx context.Context) error {
	d.say("Zhou has asked the owner: it is a second shop, with the same name and number. Zhou says so, and the one "+
		"customer becomes two again, each with what was typed for it.",
		"周敏问过老板：那是同名、同号码的第二家店。周敏撤销合并，一家又变回两家，各自拿回为它录入的内容。")
	notes := slices.DeleteFunc(d.zhou.List("merge_redirect"), func(v device.View) bool {
		return !slices.Contains([]record.ID{d.shop.id, d.twin.id}, reference(v, "dead"))
	})
	if len(notes) != 1 {
		d.check(false, "the merge can be taken back", "合并可以撤销", d.text("%d redirects", "%d 条指引", len(notes)))
		return nil
	}
	o, err := d.zhou.mutate(ctx, func(t *device.Typing) error {
		t.Edit("merge_redirect", notes[0].ID, func(dr *device.Draft) { dr.Set("state", "split") })
		return nil
	})
	if err != nil {
		return err
	}
	if err := d.until(ctx, func() bool { return d.isAt(d.shop) && d.isAt(d.twin) }); err != nil {
		return err
	}
	d.check(d.named() == 2, "there are two 兴旺超市 again", "兴旺超市又是两家", d.result(o.Result))
	d.check(d.isAt(d.shop), "Lin's has its contact", "林晓的那家有自己的联系人", d.zhouSees(d.shop))
	d.check(d.isAt(d.twin) && reference(d.chen.view(d.twin.visit), "account") == d.twin.id,
		"Zhou's has its contact and the visit", "周敏的那家有自己的联系人和拜访", d.zhouSees(d.twin))
	return nil
}

// until lets everybody pull until something holds: what hangs on a customer
// follows it a moment later.
func (d *day) until(ctx context.Context, holds func() bool) error {
	for range rounds {
		for _, p := range []*phone{d.lin, d.zhou, d.he, d.chen} {
			if err := p.talk(ctx); err != nil {
				return err
			}
		}
		if holds() {
			break
		}
		if err := d.Sleep(ctx, apart); err != nil {
			return err
		}
	}
	return nil
}

// named counts the customers of the name, where both can be seen.
func (d *day) named() (n int) {
	for _, v := range d.chen.List("account") {
		if v.Text("name") == d.shop.name {
			n++
		}
	}
	return n
}

// isAt reports whether a shop is there under its own id, with its contact.
func (d *day) isAt(s shop) bool {
	return d.chen.view(s.id).ID == s.id && reference(d.chen.view(s.contact), "account") == s.id
}

// zhouSees says whether zhou has a shop on his phone.
func (d *day) zhouSees(s shop) string {
	if v, there := d.zhou.Get(s.id); there && v.ID == s.id {
		return d.text("on Zhou's phone", "在周敏的手机上")
	}
	return d.text("not on Zhou's phone any more", "不再在周敏的手机上")
}
