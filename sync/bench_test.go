package sync_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"roadbook/record"
	"roadbook/sync/wire"
)

// BenchmarkPush is a day's outbox of 200 mutations from each of 50 phones at
// once: 70 % edits of one to three fields, 30 % new visits.
func BenchmarkPush(b *testing.B) {
	w := newWorld(b)
	phones, mine := make([]*phone, 50), make([][]record.ID, 50)
	for i := range phones {
		phones[i] = w.phone([]string{"lin", "zhou"}[i%2])
		for range 40 {
			mine[i] = append(mine[i], phones[i].create("account", values("name", fmt.Sprintf("客户 %d", i), "remark", "这是一个用来测量的客户，有一段不长不短的说明文字。")))
		}
		phones[i].push()
		phones[i].pull()
	}
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		frames := make([]*wire.Push, len(phones))
		for i, p := range phones {
			p.typeDay(mine[i], 200)
			frames[i] = p.frame()
			p.prev = p.outbox[len(p.outbox)-1].ID.String()
			p.outbox = nil
		}
		b.StartTimer()
		var g errgroup.Group
		for i, p := range phones {
			g.Go(func() error {
				_, err := w.engine.Push(context.Background(), p.who, frames[i])
				return err
			})
		}
		if err := g.Wait(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*50*200/b.Elapsed().Seconds(), "mutations/s")
}

// typeDay fills the outbox with work on the phone's own accounts.
func (p *phone) typeDay(mine []record.ID, n int) {
	for i := range n {
		account := mine[i%len(mine)]
		switch i % 10 {
		case 0, 1, 2:
			p.create("visit", record.Values{
				{Field: "account", Raw: js(account.String())},
				{Field: "summary", Raw: js("今天拜访了客户，谈了新品的陈列和下个月的促销，老板愿意先试两箱。")},
				{Field: "result", Raw: json.RawMessage("null")},
			})
		case 3, 4:
			p.edit(account, values("remark", fmt.Sprintf("第 %d 次修改", i), "short_name", "简称", "grade", "A"))
		default:
			p.edit(account, values("remark", fmt.Sprintf("第 %d 次修改", i)))
		}
	}
}
