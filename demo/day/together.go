package day

import (
	"context"
	"time"

	device "roadbook/clients/go"
)

// apart is between two things that people type one after the other on two
// phones, so that it is clear which was the later.
const apart = 250 * time.Millisecond

// sameCustomer lets two people edit customer K, in different fields.
func (d *day) sameCustomer(ctx context.Context) (err error) {
	d.say("On customer K, Lin changes the mobile number and adds the tag 冷链. Meanwhile He Jing changes the address, "+
		"removes the tag 老客户 and adds 重点.",
		"林晓修改客户 K 的手机号，加上标签“冷链”。与此同时，何静在线修改地址，去掉标签“老客户”，加上“重点”。")
	d.edits.k, err = d.lin.Mutate(func(t *device.Typing) error {
		t.Edit("account", d.k, func(dr *device.Draft) {
			dr.Remove("phones", phonesK[0])
			dr.Add("phones", d.newPhoneOfK())
			dr.Add("tags", tagCold)
		})
		return nil
	})
	if err != nil {
		return err
	}
	o, err := d.he.mutate(ctx, func(t *device.Typing) error {
		t.Edit("account", d.k, func(dr *device.Draft) {
			dr.Set("address", movedK)
			dr.Remove("tags", tagOld)
			dr.Add("tags", tagKey)
		})
		return nil
	})
	if err != nil {
		return err
	}
	d.fact("He Jing: %s, number %s of the log · Lin: in the outbox", "何静：%s，日志第 %s 条 · 林晓：在待发队列里",
		d.result(o.Result), count(int(o.Seq)))
	return nil
}

func (d *day) newPhoneOfK() string { return "139" + digits(d.mark, 8) }

// sameDeal lets two people edit opportunity O, in different fields.
func (d *day) sameDeal(ctx context.Context) (err error) {
	d.say("Lin moves opportunity O to “proposal”. Meanwhile Chen changes its amount.",
		"林晓把商机 O 推进到“方案”阶段。与此同时，陈建国在线修改金额。")
	d.edits.o, err = d.lin.Mutate(func(t *device.Typing) error {
		t.Edit("opportunity", d.o, func(dr *device.Draft) { dr.Set("stage", "proposal") })
		return nil
	})
	if err != nil {
		return err
	}
	o, err := d.chen.mutate(ctx, func(t *device.Typing) error {
		t.Edit("opportunity", d.o, func(dr *device.Draft) { dr.Set("amount", yuan(raisedO)) })
		return nil
	})
	if err != nil {
		return err
	}
	d.fact("Chen: %s, ¥%s → ¥%s · Lin: in the outbox, qualified → proposal", "陈建国：%s，¥%s → ¥%s · 林晓：在待发队列里，已确认 → 方案",
		d.result(o.Result), amountO, raisedO)
	return nil
}

// What the two write into the same fields of customer K.
const (
	shortByLin  = "康源天钥桥"
	shortByHe   = "康源徐汇店"
	remarkByLin = "店长换人，新店长姓吴；冷柜加一组。"
	remarkByHe  = "客户来电：以后周三上午送货，送货走后门。"
)

// sameFields is a clash on purpose: of a field where the later one simply
// wins, and of one where a person is asked as well.
func (d *day) sameFields(ctx context.Context) (err error) {
	d.say("On purpose, both write into the same fields of K: first Lin, a quarter of a second later He Jing. Of the "+
		"short name the later one simply wins; about the remark a person is asked as well.",
		"故意制造冲突：两人先后修改 K 的相同字段，林晓在前，何静晚四分之一秒。简称以较晚的为准；备注除此之外还要请人确认。")
	if d.edits.names, err = d.lin.Mutate(d.names(shortByLin, remarkByLin)); err != nil {
		return err
	}
	if err := d.Sleep(ctx, apart); err != nil {
		return err
	}
	if _, err = d.he.mutate(ctx, d.names(shortByHe, remarkByHe)); err != nil {
		return err
	}
	d.fact("Lin      %s · %s", "林晓  %s · %s", shortByLin, remarkByLin)
	d.fact("He Jing  %s · %s", "何静  %s · %s", shortByHe, remarkByHe)
	return nil
}

func (d *day) names(short, remark string) func(t *device.Typing) error {
	return func(t *device.Typing) error {
		t.Edit("account", d.k, func(dr *device.Draft) {
			dr.Set("short_name", short)
			dr.Set("remark", remark)
		})
		return nil
	}
}
