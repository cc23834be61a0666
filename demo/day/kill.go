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
	"runtime"
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
		"林晓记录拜访，每次都带一条跟进。正在保存第 3 次时手机没电：应用是单独的进程，在此被真正杀掉。")
	if err := d.planVisits(); err != nil {
		return err
	}
	end, err := d.typeUpTo(ctx, firstKill, true)
	if err != nil {
		return err
	}
	there, of := d.visits[firstKill-1].parts(d.lin)
	fate, before := d.fate(d.visits[firstKill-1]), d.wholeUpTo(firstKill-1)
	d.fact("The process ended with “%s”. After the restart: visits 1 and 2 are there, visit 3 is %s.",
		"进程以“%s”结束。重新打开后：第 1、2 次拜访都在；第 3 次%s。", end, fate)
	d.check(end != "exit status 0", "the app was killed while it was saving", "应用在保存时被杀掉", end)
	d.check(before == firstKill-1 && (there == 0 || there == of),
		"visit 3 is whole or absent, never half", "第 3 次拜访要么完整要么没有，绝无半条", fate)
	return nil
}

// fate is what a kill has made of a visit.
func (d *day) fate(v visit) string {
	switch there, of := v.parts(d.lin); there {
	case 0:
		return d.text("absent (typed again)", "没有（重新录入）")
	case of:
		return d.text("whole", "完整")
	default:
		return d.text("half: %d parts of %d", "残缺：%d/%d 部分", there, of)
	}
}

// wholeUpTo counts the first visits that are whole.
func (d *day) wholeUpTo(n int) (whole int) {
	for _, v := range d.visits[:n] {
		if there, of := v.parts(d.lin); there == of {
			whole++
		}
	}
	return whole
}

// fifty brings the visits to 50, with two more kills in between.
func (d *day) fifty(ctx context.Context) error {
	d.say("50 visits and 50 follow-ups in airplane mode; the app is killed twice more, while it saves numbers %d "+
		"and %d.",
		"飞行模式下共记录 50 次拜访和 50 条跟进；保存第 %d 次和第 %d 次时，应用又两次被杀掉。", secondKill, thirdKill)
	began, half := d.Now(), 0
	var fates []string
	for _, stop := range []int{secondKill, thirdKill, all} {
		if _, err := d.typeUpTo(ctx, stop, stop < all); err != nil {
			return err
		}
		for _, v := range d.visits {
			if there, of := v.parts(d.lin); there != 0 && there != of {
				half++
			}
		}
		fates = append(fates, d.fate(d.visits[stop-1]))
	}
	whole := d.wholeUpTo(all)
	d.fact("After the kills number %d is %s and number %d is %s.", "被杀之后：第 %d 次%s；第 %d 次%s。",
		secondKill, fates[0], thirdKill, fates[1])
	d.fact("%d actions wait in the outbox, on the disk since they were typed. All this took %s, with three starts of "+
		"the app.",
		"待发队列里有 %d 个操作，录入时即已落盘。连同三次启动应用共用时 %s。", d.lin.Status().Outbox, d.seconds(d.Now().Sub(began)))
	d.check(whole == all && half == 0, "50 visits are on the phone after two kills",
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
	if err := d.watch(app, upTo, kill); err != nil {
		return "", err
	}
	return app.ProcessState.String(), d.lin.start()
}

// usualSave is how long saving takes, as long as none has been seen.
const usualSave = 2 * time.Millisecond

// watch runs the app until it has saved a number, or is saving it if it is to
// die there: at some instant of the time that the last save took, or soon after.
func (d *day) watch(app *exec.Cmd, upTo int, kill bool) error {
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
	reached, began, took := false, d.Now(), usualSave
	for lines := bufio.NewScanner(out); !reached && lines.Scan(); {
		reached = lines.Text() == last
		if strings.HasPrefix(lines.Text(), "saved") {
			took = d.Now().Sub(began)
		}
		began = d.Now()
	}
	if kill {
		chance := rand.New(rand.NewPCG(d.Seed, uint64(upTo))) //nolint:gosec // it must be repeatable
		for life := time.Duration(chance.Float64() * 1.3 * float64(took)); d.Now().Sub(began) < life; {
			runtime.Gosched() // a timer is not exact enough
		}
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
