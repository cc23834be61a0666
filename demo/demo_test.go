package demo_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"roadbook/demo"
	"roadbook/record"
)

var midnight = demo.Midnight(time.Date(2026, 11, 21, 1, 30, 0, 0, time.UTC))

// golden is over the first 1,000 items. It moves with the words and with the
// order in which they are drawn, and then the demo of everybody moves with it.
const golden = "76cfaf46993631b88c798e2552154a3749a5bbd6f9cc3d807cf51af97bd8b5f3"

func org() *demo.Org { return demo.New(demo.Options{Midnight: midnight}) }

// fingerprint is over everything that is committed of the first n items.
func fingerprint(t *testing.T, items iter.Seq[demo.Item], n int) string {
	t.Helper()

	h := sha256.New()
	for item := range items {
		if n == 0 {
			break
		}
		n--
		b, err := json.Marshal(item.Mutation)
		require.NoError(t, err)
		h.Write(item.Person[:])
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestOrg_Proposals_areTheSameEveryTime(t *testing.T) {
	t.Parallel()

	opt := demo.Options{Midnight: midnight, Accounts: 300, Visits: 2_000, FollowUps: 1_000}
	everything := demo.New(opt).Records() * 2

	require.Equal(t,
		fingerprint(t, demo.New(opt).Proposals(), everything),
		fingerprint(t, demo.New(opt).Proposals(), everything))
}

func TestOrg_Proposals_golden(t *testing.T) {
	t.Parallel()

	require.Equal(t, golden, fingerprint(t, org().Proposals(), 1_000))
}

// Ids are the same for every midnight and seed, so that a script may name
// records; the content is another for another seed.
func TestOrg_Proposals_idsStayWhatElseMoves(t *testing.T) {
	t.Parallel()

	opt := demo.Options{Midnight: midnight, Accounts: 120, Visits: 700, FollowUps: 500}
	other := opt
	other.Midnight, other.Seed = demo.Midnight(midnight.AddDate(1, 2, 3)), 7
	var a, b []record.ID
	same := 0
	next, stop := iter.Pull(demo.New(other).Proposals())
	defer stop()
	for item := range demo.New(opt).Proposals() {
		twin, _ := next()
		x, y := item.Mutation.Edits[0], twin.Mutation.Edits[0]
		a, b = append(a, x.ID, item.Mutation.ID), append(b, y.ID, twin.Mutation.ID)
		if x.Set.Text("summary") == y.Set.Text("summary") && x.Kind == "visit" {
			same++
		}
	}

	require.Equal(t, a, b)
	require.Less(t, same, 70, "of 700 summaries")
}

func TestOrg_Proposals_mayBeLeftAtAnyTime(t *testing.T) {
	t.Parallel()

	for _, n := range []int{1, 50, 5_000} {
		taken := 0
		for range org().Proposals() {
			if taken++; taken == n {
				break
			}
		}
		require.Equal(t, n, taken)
	}
}

func TestScale_makesJustSoMany(t *testing.T) {
	t.Parallel()

	for _, n := range []int{2_500, 5_000, 50_000, 110_000, 1_000_000} {
		require.Equal(t, n, demo.New(demo.Scale(n)).Records())
	}
	opt := demo.Scale(1_000_000)
	require.InDelta(t, 10, (opt.Visits+opt.FollowUps)/opt.Accounts, 1)
	require.Less(t, demo.New(demo.Scale(0)).Records(), 2_500, "the least there is")
}

// Not parallel: it looks at the memory of the whole process. What is alive
// must not grow with what has been made.
func TestOrg_Proposals_streams(t *testing.T) {
	const (
		records = 50_000
		most    = 1 << 20
	)
	opt := demo.Scale(records)
	opt.Midnight = midnight
	made, least := 0, uint64(1<<62)
	for item := range demo.New(opt).Proposals() {
		if item.Mutation.Edits[0].Op != record.OpCreate {
			continue
		}
		if made++; made%10_000 != 0 {
			continue
		}
		alive := heap()
		least = min(least, alive)
		require.Less(t, alive-least, uint64(most), "after %d records", made)
	}

	require.Equal(t, records, made)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func ExampleOrg_Proposals() {
	for item := range org().Proposals() {
		edit := item.Mutation.Edits[0]
		fmt.Println(edit.Op, edit.Kind, edit.Set.Text("name"))
		if edit.Kind == "user" {
			break
		}
	}
	// Output:
	// create unit 青禾食品饮料有限公司
	// create unit 华东大区
	// create unit 南方大区
	// create unit 上海组
	// create unit 江浙组
	// create unit 广深组
	// create unit 川鄂组
	// create user 管理员
}
