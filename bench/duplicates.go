package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"roadbook/record"
	"roadbook/record/shipped"
	"roadbook/store/pg"
)

const (
	alikeAsks = 200 // look-ups of a run
	alikeKeys = 4   // of a shop with a name and two telephone numbers: each alone, and each with the name
	alikeMost = 32  // records that a key is looked up for
)

// takeDuplicates looks for duplicates among a million customers: the statement
// alone, as a device asks for it, as a commit that creates a customer does, and
// the sieve of them all.
func takeDuplicates(ctx context.Context, w *world) ([]Row, error) {
	kind := shipped.Schema().Kind("account")
	if err := w.fillAlike(ctx, kind.MatchNo()); err != nil {
		return nil, err
	}
	p, err := w.signIn(ctx, login(0))
	if err != nil {
		return nil, err
	}
	var alone, asked, created, sieved []float64
	var bytes float64
	for range w.Runs {
		some, err := w.lookAlike(ctx, kind.MatchNo())
		if err != nil {
			return nil, err
		}
		alone = append(alone, some...)
		for i := range alikeAsks {
			took, err := p.createAlike(ctx, i, "/v1/duplicates/check")
			if err != nil {
				return nil, err
			}
			asked = append(asked, took)
			if took, err = p.createAlike(ctx, i, "/v1/sync/push"); err != nil {
				return nil, err
			}
			created = append(created, took)
		}
		took, size, err := p.sieve(ctx)
		if err != nil {
			return nil, err
		}
		sieved, bytes = append(sieved, took), size
	}
	name := " among " + figure(float64(w.Size.Alike)) + " customers"
	statement := row("look-up of "+fmt.Sprint(alikeKeys)+" keys"+name+", the database's time", "ms", alone...)
	return []Row{
		statement.target("≤ 1", statement.Value <= 1).note("p99 %.3f ms, by EXPLAIN ANALYZE", quantile(alone, 0.99)),
		row("duplicate check"+name+", over HTTP", "ms", asked...).note("p99 %.1f ms", quantile(asked, 0.99)),
		row("a push of a new customer"+name, "ms", created...).note("p99 %.1f ms", quantile(created, 0.99)),
		row("the sieve of "+figure(float64(w.Size.Alike))+" customers", "ms", slices.Max(sieved)).note("%.0f KB; it was made once", bytes/1000),
	}, nil
}

// fillAlike writes the keys of very many customers into the look-up rows, two of
// each: to enter a million by the door that devices use would take longer than
// all else.
func (w *world) fillAlike(ctx context.Context, field int16) error {
	w.Say("writing the keys of %d customers", w.Size.Alike)
	_, err := w.pool.Exec(ctx, `
		INSERT INTO lookups (org, field, val, rec)
		SELECT $1, $2, p || translate(substr(encode(sha256((p || n)::bytea), 'base64'), 1, 12), '+/', '-_'), md5(n::text)::uuid
		  FROM generate_series(1, $3::int) n, unnest('{c,l}'::text[]) p
		ON CONFLICT DO NOTHING`, w.org, field, w.Size.Alike)
	if err != nil {
		return fmt.Errorf("writing keys of customers: %w", err)
	}
	_, err = w.pool.Exec(ctx, `VACUUM ANALYZE lookups`)
	return err
}

// lookAlike times the statement alone: half of the keys are there, half are
// nobody's.
func (w *world) lookAlike(ctx context.Context, field int16) (took []float64, err error) {
	at := slices.IndexFunc(pg.Statements(), func(s pg.Stmt) bool { return s.Name == "lookups_alike" })
	explained := `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ` + pg.Statements()[at].Text
	for i := range alikeAsks {
		keys, err := w.someKeys(ctx, field, i)
		if err != nil {
			return nil, err
		}
		var text []byte
		if err := w.pool.QueryRow(ctx, explained, w.org, field, keys, alikeMost).Scan(&text); err != nil {
			return nil, err
		}
		var plans []struct {
			Planning float64 `json:"Planning Time"`
			Running  float64 `json:"Execution Time"`
		}
		if err := json.Unmarshal(text, &plans); err != nil {
			return nil, err
		}
		took = append(took, plans[0].Planning+plans[0].Running)
	}
	return took, nil
}

func (w *world) someKeys(ctx context.Context, field int16, i int) ([]string, error) {
	var keys []string
	err := w.pool.QueryRow(ctx, `
		SELECT array_agg(k.val)
		  FROM (SELECT l.val FROM lookups l WHERE l.org = $1 AND l.field = $2 AND l.val >= $3 ORDER BY l.val LIMIT $4) k`,
		w.org, field, fmt.Sprintf("c%c%c", 'A'+i%26, 'a'+i/26), alikeKeys/2).Scan(&keys)
	for len(keys) < alikeKeys {
		keys = append(keys, "l"+strings.ReplaceAll(w.id().String(), "-", "")[20:])
	}
	return keys, err
}

// createAlike asks for, or enters, a customer whom nobody else has.
func (p *phone) createAlike(ctx context.Context, i int, path string) (took float64, err error) {
	number := fmt.Sprint(p.w.Now().UnixNano() % 1e9)
	set := record.Values{}.With("name", text("新店"+number)).
		With("phones", json.RawMessage(fmt.Sprintf(`["13%s","15%s"]`, number, number))).With("remark", text(fmt.Sprint(i)))
	body, err := json.Marshal(map[string]any{"kind": "account", "set": set})
	if err == nil && path != "/v1/duplicates/check" {
		body, err = p.frame([]record.Edit{{Op: record.OpCreate, Kind: "account", ID: p.w.id(), Set: set}})
	}
	if err != nil {
		return 0, err
	}
	begun := p.w.Now()
	if path != "/v1/duplicates/check" {
		err = p.push(ctx, body)
	} else {
		_, err = p.post(ctx, path, body, "")
	}
	return ms(p.w.Now().Sub(begun)), err
}

// sieve fetches that of all customers.
func (p *phone) sieve(ctx context.Context) (took, size float64, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.w.url+"/v1/duplicates/fingerprints?kind=account", http.NoBody)
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	begun := p.w.Now()
	answer, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	p.answer.Reset()
	n, err := p.answer.ReadFrom(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the sieve: %s: %.200s", answer.Status, p.answer.Bytes())
	}
	return ms(p.w.Now().Sub(begun)), float64(n), err
}
