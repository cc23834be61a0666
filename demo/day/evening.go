package day

import (
	"context"
	"sync"
	"time"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/record"
)

// broken lets an app with a fault type what cannot be accepted.
func (d *day) broken(context.Context) (err error) {
	d.say("One more visit names a customer that does not exist: somewhere an app has a fault.",
		"还有一次拜访指向一个不存在的客户：某处的应用有缺陷。")
	d.wrong, err = d.lin.Mutate(func(t *device.Typing) error {
		t.Create("visit", device.Values{
			"account": d.NewID().String(), "check_in": evidence(d.Now(), 0), "status": "closed", "summary": "这家客户并不存在。",
		})
		return nil
	})
	return err
}

// withinWhich the texts of a day must have arrived.
const withinWhich = time.Minute

// firstSignal is the evening: a network that hardly deserves the name.
func (d *day) firstSignal(ctx context.Context) error {
	d.say("First signal: 2 s latency, one request in ten is lost, old ones arrive again. The answer to Lin's "+
		"first push is lost on its way, then the second push itself. The apps try until everything is through.",
		"终于有信号：往返延迟 2 秒，十分之一的请求丢失，旧请求会再次到达。林晓第一次推送的答复在路上丢失，第二次推送本身也丢了。应用自动重试，直到全部送达。")
	typed := d.lin.Status().Outbox
	d.lin.signal.Next(badnet.LoseAnswer, badnet.LoseRequest, badnet.Repeat)
	began := d.Now()
	if err := d.both(ctx); err != nil {
		return err
	}
	took := d.Now().Sub(began)
	for _, p := range []*phone{d.lin, d.zhou} {
		s := p.signal.Stats()
		d.fact("%s: requests %d, lost %d, answers lost %d, came again %d · %s up, %s down",
			"%s：请求 %d，丢失 %d，答复丢失 %d，重复到达 %d · 上行 %s，下行 %s", p.name.in(d.Lang),
			s.Requests, s.Lost, s.Unheard+s.Cut, s.Again, kilobytes(s.BytesUp), kilobytes(s.BytesDown))
	}
	d.fact("of Lin's %d actions: %s", "林晓的 %d 个操作：%s", typed, d.tally(d.lin))
	d.check(took < withinWhich, "everything typed arrives in less than 60 s", "所有文字在 60 秒内送达",
		d.text("%d actions in %s", "%d 个操作，%s", typed, d.seconds(took)))
	return d.receipts(ctx, typed)
}

// both lets the two phones sync at once, and then what is still under way
// arrive.
func (d *day) both(ctx context.Context) error {
	var group sync.WaitGroup
	phones := []*phone{d.lin, d.zhou}
	failed := make([]error, len(phones))
	for i, p := range phones {
		p.in.Store(p.signal)
		group.Go(func() { failed[i] = p.talkOn(ctx) })
	}
	group.Wait()
	for i, p := range phones {
		if failed[i] != nil {
			return failed[i]
		}
		p.signal.Stragglers()
	}
	return nil
}

// receipts sends lin's first push a last time and compares the verdicts with
// those that the phone was given.
func (d *day) receipts(ctx context.Context, typed int) error {
	answer, err := d.lin.replay(ctx, d.lin.witness.first())
	if err != nil {
		return err
	}
	same, repeated := 0, 0
	for _, again := range answer.Outcomes {
		first := d.lin.told[again.ID]
		if first.Receipt == again.Receipt && first.Seq == again.Seq && first.Result == again.Result {
			same++
		}
		if again.Repeated {
			repeated++
		}
	}
	first := d.lin.signal.Stats()
	d.check(first.Unheard > 0 && same == len(answer.Outcomes) && repeated == same && same > 0,
		"a push that is repeated gets the same receipts", "答复丢失后重发，回执完全相同",
		d.text("%d of %d equal", "%d/%d 条相同", same, len(answer.Outcomes)))
	d.check(answer.NextN == d.lin.Status().LastN+1 && int(d.lin.Status().LastN) == typed,
		"what arrives again has no effect", "重复到达的请求没有任何影响",
		d.text("the server counts %d actions", "服务器共计 %d 个操作", answer.NextN-1))
	return nil
}

// refused says what became of the visit that could not be accepted.
func (d *day) refused(context.Context) error {
	refused := d.lin.Refused()
	d.say("The server refuses the visit of nobody's customer and says why; it holds nothing else back.",
		"服务器拒绝了那次无主的拜访并说明原因，其他内容不受影响。")
	accepted := 0
	for _, o := range d.lin.told {
		if o.Result == record.Applied || o.Result == record.Merged {
			accepted++
		}
	}
	found, why := false, "—"
	for _, r := range refused {
		if r.Mutation.ID == d.wrong {
			found, why = len(refused) == 1, r.Refusal.Detail
			d.fact("code %s: %s", "代码 %s：%s", r.Refusal.Code, why)
		}
	}
	d.check(found && why != "", "the broken visit is refused, with a reason", "有错的拜访被拒绝，并给出原因", why)
	typed := int(d.lin.Status().LastN)
	d.check(accepted == typed-1, "all others are accepted", "其他操作全部被接受", d.text("%d of %d", "%d/%d", accepted, typed))
	return d.lin.Dismiss(d.wrong)
}

// tally is what came of everything that somebody typed.
func (d *day) tally(p *phone) string {
	sums := map[record.Result]int{}
	for _, o := range p.told {
		sums[o.Result]++
	}
	return d.text("%d applied, %d merged, %d refused", "直接生效 %d，合并 %d，拒绝 %d",
		sums[record.Applied], sums[record.Merged], sums[record.Refused])
}

// result is a verdict in the reader's language.
func (d *day) result(r record.Result) string {
	return map[record.Result]said{
		record.Applied: {"applied", "直接生效"}, record.Merged: {"merged", "已合并"},
		record.Refused: {"refused", "被拒绝"}, record.Parked: {"parked", "待处理"},
	}[r].in(d.lang)
}
