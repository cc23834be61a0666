package day

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"roadbook/record"
)

// all is how many visits a rep logs in the test that the product is measured
// by.
const all = 50

// The visits in whose saving the app is killed.
const (
	firstKill  = 3
	secondKill = 18
	thirdKill  = 37
)

// killed kills the app while visit 3 is being saved.
func (d *day) killed(ctx context.Context) error {
	d.say("Lin logs visits, each with its follow-up. While number 3 is being saved, the phone dies: the app is a "+
		"process of its own, and it is killed for real.",
		"林晓记录拜访，每次拜访都带一条跟进。正在保存第 3 次时手机没电：应用是单独的进程，被真正杀掉。")
	if err := d.planVisits(); err != nil {
		return err
	}
	end, err := d.typeUpTo(ctx, firstKill, true)
	if err != nil {
		return err
	}
	there, of := d.visits[firstKill-1].parts(d.lin)
	d.fact("the app ended with “%s”; visits 1 and 2 are there, of number 3 %d of %d parts",
		"应用以“%s”结束；第 1、2 次拜访都在，第 3 次有 %d/%d 部分", end, there, of)
	d.check(strings.Contains(end, "killed") || end != "exit status 0", "the app was killed while it was saving",
		"应用在保存时被杀掉", end)
	d.check(there == 0 || there == of, "visit 3 is whole or absent, never half", "第 3 次拜访要么完整要么没有，绝无半条",
		d.wholeOrAbsent(there))
	return nil
}

func (d *day) wholeOrAbsent(there int) string {
	if there == 0 {
		return d.text("absent: typed again at the next start", "没有：下次打开后重新录入")
	}
	return d.text("whole: the save was faster than death", "完整：保存快了一步")
}

// fifty brings the visits to 50, with two more kills in between.
func (d *day) fifty(ctx context.Context) error {
	d.say("50 visits and 50 follow-ups in airplane mode; the app is killed twice more, while it saves numbers %d and %d.",
		"飞行模式下共记录 50 次拜访和 50 条跟进；保存第 %d 次和第 %d 次时，应用又两次被杀掉。", secondKill, thirdKill)
	began, half := d.Now(), 0
	for _, stop := range []int{secondKill, thirdKill, all} {
		if _, err := d.typeUpTo(ctx, stop, stop < all); err != nil {
			return err
		}
		for _, v := range d.visits {
			if there, of := v.parts(d.lin); there != 0 && there != of {
				half++
			}
		}
	}
	whole := 0
	for _, v := range d.visits {
		if there, of := v.parts(d.lin); there == of {
			whole++
		}
	}
	d.fact("%d actions in the outbox, each synced to the disk; four starts of the app, %s in all",
		"待发队列里有 %d 个操作，逐个落盘；应用共启动四次，合计 %s", d.lin.Status().Outbox, d.seconds(d.Now().Sub(began)))
	d.check(whole == all && half == 0, "50 visits are on the phone, whole, in spite of two kills",
		"两次被杀之后，50 次拜访都完整地在手机上", d.text("%d whole, %d half", "%d 次完整，%d 次残缺", whole, half))
	return nil
}

// planVisits decides what lin will log: his six stops, and then his customers
// one after the other.
func (d *day) planVisits() error {
	stops, accounts := d.today(d.lin), owned(d.lin, "account")
	accounts = slices.DeleteFunc(accounts, func(id record.ID) bool { return id == d.shop.id })
	for i := range all {
		v := visit{
			No: i + 1, ID: d.NewID(), FollowUp: d.NewID(), Account: accounts[i%len(accounts)],
			Summary: fmt.Sprintf("%s（演示%s·%d）", summaries[i%len(summaries)], d.mark, i+1),
			Content: fmt.Sprintf("%s（演示%s·%d）", contents[i%len(contents)], d.mark, i+1),
		}
		if i < min(stopsPerDay, len(stops)) {
			v.Account, v.Plan = reference(stops[i], "account"), stops[i].ID
		}
		d.visits = append(d.visits, v)
	}
	text, err := json.Marshal(d.visits)
	if err != nil {
		return err
	}
	return os.WriteFile(d.visitsFile(), text, 0o600)
}

func (d *day) visitsFile() string { return filepath.Join(d.Dir, "visits.json") }

// typeUpTo lets the app type in a process of its own, up to a number, and
// kills it there if told to. It returns how the process ended.
func (d *day) typeUpTo(ctx context.Context, upTo int, kill bool) (end string, err error) {
	if err := d.lin.Close(); err != nil { // one app at a time has the store
		return "", err
	}
	app := d.Typist(ctx, d.lin.cfg.Dir, d.visitsFile(), fmt.Sprint(upTo))
	if err := d.watch(ctx, app, upTo, kill); err != nil {
		return "", err
	}
	return app.ProcessState.String(), d.lin.start()
}

// mostLife is how long the app may live on after it has begun to save what it
// is not to survive: about as long as saving takes.
const mostLife = 3 * time.Millisecond

// watch runs the app until it has reached a number, and a little into it if it
// is to die there.
func (d *day) watch(ctx context.Context, app *exec.Cmd, upTo int, kill bool) error {
	var said strings.Builder
	app.Stderr = &said
	in, err := app.StdinPipe()
	if err != nil {
		return err
	}
	out, err := app.StdoutPipe()
	if err != nil {
		return err
	}
	if err := app.Start(); err != nil {
		return err
	}
	last := fmt.Sprintf("saved %d", upTo)
	if kill {
		last = fmt.Sprintf("saving %d", upTo)
	}
	reached := false
	for lines := bufio.NewScanner(out); !reached && lines.Scan(); {
		reached = lines.Text() == last
	}
	if kill {
		chance := rand.New(rand.NewPCG(d.Seed, uint64(upTo))) //nolint:gosec // it must be repeatable
		_ = d.Sleep(ctx, time.Duration(chance.Int64N(int64(mostLife))))
		_ = app.Process.Kill()
	}
	_ = in.Close()
	err = app.Wait()
	if !reached || err != nil && !kill {
		return fmt.Errorf("the app did not get to visit %d: %w: %s", upTo, err, strings.TrimSpace(said.String()))
	}
	return nil
}

var summaries = []string{
	"堆头按约定陈列，价签齐全，冷柜有两个空位，已请店长补货。",
	"库存偏低，酸奶只剩三箱，约定明天上午送货。",
	"店长不在，与收货员核对了上次的破损，拍照留存。",
	"竞品在做买赠，我们的端架被挪到里侧，已要求恢复。",
	"新品燕麦奶试饮反应不错，同意先进五箱。",
}

var contents = []string{
	"把新品报价和陈列图发给了老板，对方说晚上看。",
	"提醒月底对账，对方会计周四上班。",
	"约好下周二上午一起盘冷柜。",
	"对方问冷链送货时间，答复最晚十点前到店。",
}
