package online_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"roadbook/record"
	"roadbook/sync/online"
)

// Whoever turns pages while others write sees each record once that nobody has
// touched, however the pages are made.
func TestList_whileOthersWrite(t *testing.T) {
	t.Parallel()

	for _, sort := range []string{"id", "-id", "name", "-name", "grade"} {
		for _, gather := range []int{1, 1000} {
			t.Run(fmt.Sprint(sort, gather), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				var still, busy []record.ID
				for i := range 30 {
					id := w.create("lin", "account", "name", fmt.Sprintf("%03d", w.rng.IntN(1000)), "grade", string(rune('A'+i%3)))
					if i%2 == 0 {
						still = append(still, id)
					} else {
						busy = append(busy, id)
					}
				}

				seen := map[record.ID]int{}
				q := online.Query{Kind: "account", Sort: sort, Limit: 4}
				for {
					page, err := w.online.Looking(gather, 3).List(t.Context(), w.who("lin"), q)
					require.NoError(t, err)
					for _, r := range page.Records {
						seen[r.ID]++
					}
					if q.After = page.After; q.After == "" {
						break
					}
					if len(busy) > 1 && len(page.Records) > 0 {
						w.write("chen", edit("account", busy[0], 0, "name", fmt.Sprintf("%03d", w.rng.IntN(1000)), "grade", nil))
						w.write("lin", record.Edit{Op: record.OpDelete, Kind: "account", ID: busy[len(busy)-1], Seen: edit("", busy[0], w.get("lin", "account", busy[len(busy)-1]).Seq).Seen})
						busy = busy[1 : len(busy)-1]
					}
				}

				for _, id := range still {
					require.Equal(t, 1, seen[id])
				}
			})
		}
	}
}
