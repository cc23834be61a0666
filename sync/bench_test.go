package sync_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"roadbook/localpg"
	"roadbook/migrations"
	"roadbook/record"
	"roadbook/store/pg"
	"roadbook/sync/wire"
)

// benchWorld is an org on a PostgreSQL as it is run: on disk, waiting for the
// disk at every commit.
func benchWorld(b testing.TB) *world {
	b.Helper()
	dir, err := os.MkdirTemp("/var/tmp", "roadbook-bench-")
	require.NoError(b, err)
	require.NoError(b, os.Chmod(dir, 0o755))
	server, err := localpg.Open(b.Context(), localpg.Config{Dir: dir})
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, server.Stop(context.Background()))
		require.NoError(b, os.RemoveAll(dir))
	})
	dsn, err := server.Database(b.Context(), "bench")
	require.NoError(b, err)
	pool, err := pg.Open(b.Context(), dsn)
	require.NoError(b, err)
	b.Cleanup(pool.Close)
	require.NoError(b, migrations.Up(b.Context(), pool))
	return worldOn(b, pool)
}

const remark = "这是一个用来测量的客户，有一段不长不短的说明文字，像业务员在路上会写的那样：老板热情，货架在进门右手边，下次带样品来。"

// BenchmarkPush is a day's outbox of 200 mutations from each of 50 phones at
// once, 70 % edits of one to three fields and 30 % new visits, beside a bare
// upsert of as many rows of the same size on one connection.
func BenchmarkPush(b *testing.B) {
	w := benchWorld(b)
	phones, mine := make([]*phone, 50), make([][]record.ID, 50)
	for i := range phones {
		phones[i] = w.phone([]string{"lin", "zhou"}[i%2])
		for range 40 {
			mine[i] = append(mine[i], phones[i].create("account", values("name", fmt.Sprintf("客户 %d", i), "remark", remark)))
		}
		phones[i].push()
	}
	var spent cpu
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		frames := make([]*wire.Push, len(phones))
		for i, p := range phones {
			p.typeDay(mine[i], 200)
			frames[i] = p.frame()
			p.outbox = nil
		}
		begun := w.cpu(b)
		b.StartTimer()
		var g errgroup.Group
		for i, p := range phones {
			g.Go(func() error {
				_, err := w.engine.Push(context.Background(), p.who, frames[i])
				return err
			})
		}
		require.NoError(b, g.Wait())
		b.StopTimer()
		spent = spent.plus(w.cpu(b).minus(begun))
		b.StartTimer()
	}
	rate := float64(b.N) * 50 * 200 / b.Elapsed().Seconds()
	b.StopTimer()
	b.ReportMetric(rate, "mutations/s")
	b.ReportMetric(spent.here.Seconds()*1e6/float64(b.N*50*200), "Go-µs/mutation")
	b.ReportMetric(spent.postgres.Seconds()*1e6/float64(b.N*50*200), "PostgreSQL-µs/mutation")
	b.ReportMetric(rate/w.bareUpsert(b), "of-bare-upsert")
}

// BenchmarkPushAlone is what one phone waits for when nobody else is there: for
// one mutation, and for a day's outbox.
func BenchmarkPushAlone(b *testing.B) {
	w := benchWorld(b)
	p := w.phone("lin")
	account := p.create("account", values("name", "客户", "remark", remark))
	p.push()
	for _, n := range []int{1, 200} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for b.Loop() {
				b.StopTimer()
				p.typeDay([]record.ID{account}, n)
				frame := p.frame()
				p.outbox = nil
				b.StartTimer()
				begun := time.Now()
				_, err := w.engine.Push(context.Background(), p.who, frame)
				took = append(took, time.Since(begun))
				require.NoError(b, err)
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1e3, "median-ms")
			b.ReportMetric(took[len(took)*95/100].Seconds()*1e3, "p95-ms")
		})
	}
}

// cpu is the processor time that this process and PostgreSQL have spent.
type cpu struct{ here, postgres time.Duration }

func (c cpu) plus(o cpu) cpu  { return cpu{c.here + o.here, c.postgres + o.postgres} }
func (c cpu) minus(o cpu) cpu { return cpu{c.here - o.here, c.postgres - o.postgres} }

func (w *world) cpu(b *testing.B) cpu {
	b.Helper()
	var own syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &own))
	spent := cpu{here: time.Duration(own.Utime.Nano() + own.Stime.Nano())}
	rows, err := w.pool.Query(context.Background(), `SELECT pid FROM pg_stat_activity`)
	require.NoError(b, err)
	pids, err := pgx.CollectRows(rows, pgx.RowTo[int])
	require.NoError(b, err)
	for _, pid := range pids {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // gone meanwhile
		}
		f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		user, _ := strconv.ParseInt(f[11], 10, 64)
		system, _ := strconv.ParseInt(f[12], 10, 64)
		spent.postgres += time.Duration(user+system) * 10 * time.Millisecond // in ticks of 1/100 s
	}
	return spent
}

// bareUpsert is how many rows a second one connection upserts, 256 at a time,
// into a table of 100,000 that has nothing else to it.
func (w *world) bareUpsert(b *testing.B) float64 {
	b.Helper()
	ctx := context.Background()
	_, err := w.pool.Exec(ctx, `CREATE TABLE bare (id uuid PRIMARY KEY, fields json NOT NULL) WITH (fillfactor = 85)`)
	require.NoError(b, err)
	ids, texts := make([][16]byte, 256), make([]string, 256)
	fields := `{"remark":"` + strings.Repeat(remark, 3) + `"}`
	const upsert = `INSERT INTO bare SELECT u.id, u.f::json FROM unnest($1::uuid[], $2::text[]) u(id, f)
		ON CONFLICT (id) DO UPDATE SET fields = excluded.fields`
	put := func(n int) {
		for i := range ids {
			ids[i], texts[i] = record.NoID.Derive(fmt.Sprint((n*256+i)%100_000)), fields
		}
		_, err := w.pool.Exec(ctx, upsert, ids, texts)
		require.NoError(b, err)
	}
	for n := range 391 {
		put(n)
	}
	const rounds = 300
	begun := time.Now()
	for n := range rounds {
		put(n * 7)
	}
	return rounds * 256 / time.Since(begun).Seconds()
}

// typeDay fills the outbox with work on the phone's own accounts.
func (p *phone) typeDay(mine []record.ID, n int) {
	for i := range n {
		account := mine[i%len(mine)]
		switch i % 10 {
		case 0, 1, 2:
			p.create("visit", values("account", account.String(), "next_step", "下周二再来",
				"summary", "今天拜访了客户，谈了新品的陈列和下个月的促销，老板愿意先试两箱。"+remark))
		case 3, 4:
			p.edit(account, values("next", nil)[:0].With("remark", js(fmt.Sprintf("第 %d 次修改", i))).
				With("short_name", js("简称")).With("grade", js("A")))
		default:
			p.edit(account, values("remark", fmt.Sprintf("第 %d 次修改 %s", i, remark)))
		}
	}
}

// fillOrg gives lin an account for every ten visits.
func (w *world) fillOrg(b *testing.B, records int) (accounts []record.ID) {
	b.Helper()
	lin := w.phone("lin")
	for i := range records {
		if i%11 == 0 {
			accounts = append(accounts, lin.create("account", values("name", fmt.Sprintf("客户 %d", i), "remark", remark,
				"short_name", "简称", "grade", "A", "industry", "catering", "phones", []string{"13800138000"})))
		} else {
			lin.create("visit", values("account", accounts[len(accounts)-1].String(), "next_step", "下周二再来",
				"summary", fmt.Sprintf("第 %d 次拜访，%s", i, remark), "competitor_seen", []string{"统一", "康师傅"}))
		}
		if len(lin.outbox) == wire.MaxPush || i == records-1 {
			for _, o := range lin.push() {
				require.Equal(b, record.Applied, o.Result, "%+v", o.Refusal)
			}
		}
	}
	_, err := w.pool.Exec(context.Background(), "VACUUM ANALYZE")
	require.NoError(b, err)
	return accounts
}

// BenchmarkFirstSync is an empty device that fills with 10,000 records, beside
// a plain SELECT of them.
func BenchmarkFirstSync(b *testing.B) {
	const records = 10_000
	w := benchWorld(b)
	w.fillOrg(b, records)
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	require.NoError(b, err)
	lin := w.phone("lin")
	var got [][]byte
	b.ResetTimer()
	for range b.N {
		got = nil
		for cursor, filling := "", true; filling; { // without a pause, in which the next page would be made for nothing
			body, err := w.engine.Pull(b.Context(), lin.who, &wire.PullRequest{Replica: lin.replica, Cursor: cursor})
			require.NoError(b, err)
			got = append(got, body)
			tail := string(body[len(body)-1024:])
			cursor, filling = between(tail, `"cursor":"`, `"`), strings.Contains(tail, `"filling":true`)
		}
	}
	b.StopTimer()
	size, zipped := 0, 0
	for _, body := range got {
		size += len(body)
		zipped += len(zip.EncodeAll(body, nil))
	}
	ms := float64(b.Elapsed().Microseconds()) / float64(b.N) / 1000
	b.ReportMetric(ms, "ms/sync")
	b.ReportMetric(float64(size)/1e6, "MB")
	b.ReportMetric(float64(zipped)/1e6, "MB-zstd")
	const rounds = 5
	begun := time.Now()
	for range rounds {
		w.plainSelect(b)
	}
	b.ReportMetric(ms/(float64(time.Since(begun).Microseconds())/rounds/1000), "of-plain-select")
}

func (w *world) plainSelect(b *testing.B) {
	b.Helper()
	rows, err := w.pool.Query(b.Context(), `SELECT id, fields FROM records WHERE org = $1`, w.org)
	require.NoError(b, err)
	var id [16]byte
	var fields []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &fields}, func() error { return nil })
	require.NoError(b, err)
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// BenchmarkDelta is a device that has everything and asks for 100 changed
// records, one field of each.
func BenchmarkDelta(b *testing.B) {
	for _, records := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			w := benchWorld(b)
			accounts := w.fillOrg(b, records)
			lin, chen := w.phone("lin"), w.phone("chen")
			lin.max = wire.MaxPageBytes
			lin.pull()
			cursor := lin.cursor
			for _, id := range accounts[:100] {
				chen.typed(record.Edit{Op: record.OpEdit, Kind: "account", ID: id, Seen: lin.seen(id), Set: values("next_step", nil)[:0].With("short_name", js("新简称"))})
			}
			chen.push()
			size := 0
			b.ResetTimer()
			for range b.N {
				body, err := w.engine.Pull(b.Context(), lin.who, &wire.PullRequest{Replica: lin.replica, Cursor: cursor})
				require.NoError(b, err)
				size = len(body)
			}
			b.ReportMetric(float64(size), "bytes")
		})
	}
}
