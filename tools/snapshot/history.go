package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// exchange is one request and its answer, as they are kept.
type exchange struct {
	Name    string          `json:"name"`
	Path    string          `json:"path"`
	As      string          `json:"as,omitempty"` // who asks; nobody on public routes
	Request json.RawMessage `json:"request"`
	Status  int             `json:"status"`
	Answer  json.RawMessage `json:"answer"`
}

// phone is somebody's device, as much of it as a history needs.
type phone struct {
	s       *server
	login   string
	replica version.Replica
	epoch   string
	n       uint64
	prev    string
	cursor  string
	last    wire.Push // that was sent
	page    wire.PullAnswer
	err     error // the first; nothing is done after it
}

// play is the history: what the frames of a release are, each once.
func play(ctx context.Context, address string) ([]exchange, error) {
	s, err := newServer(ctx, address, snapshotDay)
	if err != nil {
		return nil, err
	}
	defer s.close()
	if err := s.found(ctx); err != nil {
		return nil, err
	}
	lin, chen, admin := s.phone(ctx, "lin"), s.phone(ctx, "chen"), s.phone(ctx, "admin")
	shop, tmp := person("a shop"), person("a mistake")

	lin.pull(ctx, "pull_first", "")
	lin.push(ctx, "push_applied", http.StatusOK,
		record.Edit{Op: record.OpCreate, Kind: "account", ID: shop, Set: values("name", "兴旺超市", "short_name", "兴旺", "phones", []string{"13800000000"}, "tags", []string{"冷链"})})
	chen.pull(ctx, "pull_first_of_a_manager", "")
	lin.push(ctx, "push_edit", http.StatusOK, lin.edit(shop, "short_name", "兴旺一店"),
		record.Edit{Op: record.OpCreate, Kind: "account", ID: tmp, Set: values("name", "写错的客户")})
	chen.push(ctx, "push_merged", http.StatusOK, chen.edit(shop, "short_name", "兴旺总店"))
	lin.push(ctx, "push_refused", http.StatusOK, lin.edit(shop, "nonsense", true))
	lin.again(ctx, "push_repeated")
	lin.pull(ctx, "pull_delta", "")
	var more []record.Edit
	for _, name := range []string{"一", "二", "三", "四"} {
		more = append(more, record.Edit{Op: record.OpCreate, Kind: "account", ID: person(name), Set: values("name", name, "remark", strings.Repeat("很长的备注", 150))})
	}
	lin.push(ctx, "push_many", http.StatusOK, more...)
	chen.pull(ctx, "pull_incomplete", `"max_bytes":4096`)
	chen.pull(ctx, "pull_the_rest", "")
	lin.push(ctx, "push_delete", http.StatusOK, record.Edit{Op: record.OpDelete, Kind: "account", ID: tmp, Seen: lin.seen()})
	chen.pull(ctx, "pull_tombstone", "")
	chen.push(ctx, "push_gives_away", http.StatusOK, chen.edit(shop, "owner", person("chen")))
	lin.pull(ctx, "pull_gone", "")
	lin.pull(ctx, "pull_nothing", `"digest":true`)
	admin.pull(ctx, "pull_first_of_an_admin", "")
	admin.push(ctx, "push_another_manager", http.StatusOK, record.Edit{
		Op: record.OpEdit, Kind: "unit", ID: person("the team"), Seen: admin.seen(), Set: values("manager", person("admin")),
	})
	chen.pull(ctx, "pull_drop_scopes", "")
	admin.push(ctx, "push_another_role", http.StatusOK, record.Edit{
		Op: record.OpEdit, Kind: "user", ID: person("lin"), Seen: admin.seen(), Set: values("roles", []string{"finance"}),
	})
	lin.pull(ctx, "pull_another_role", "")
	lin.n += 5
	lin.push(ctx, "problem_hole", http.StatusConflict, lin.edit(shop, "short_name", "洞"))
	lin.cursor = "AAAA"
	lin.ask(ctx, "problem_stale", "/v1/sync/pull", lin.request(""), http.StatusGone)
	lin.ask(ctx, "problem_invalid", "/v1/sync/push", []byte(`{"replica":7}`), http.StatusBadRequest)
	s.tokens["nobody"] = ""
	nobody := &phone{s: s, login: "nobody"}
	nobody.ask(ctx, "problem_anonymous", "/v1/sync/pull", []byte(`{"replica":"k7f2","cursor":""}`), http.StatusUnauthorized)
	return s.exchanges, errors.Join(lin.err, chen.err, admin.err, nobody.err)
}

func (s *server) phone(ctx context.Context, login string) *phone {
	in, err := s.signIn(ctx, login)
	if err != nil {
		return &phone{err: err}
	}
	return &phone{s: s, login: login, replica: in.Replica, epoch: in.Epoch}
}

// seen is what the last page told of.
func (p *phone) seen() version.Vector {
	var last record.Seq
	for _, c := range p.page.Changes {
		last = max(last, c.Seq)
	}
	return version.Vector{version.Log: uint64(last)}
}

func (p *phone) edit(id record.ID, pairs ...any) record.Edit {
	return record.Edit{Op: record.OpEdit, Kind: "account", ID: id, Set: values(pairs...)}
}

// push sends mutations of one edit each.
func (p *phone) push(ctx context.Context, name string, status int, edits ...record.Edit) {
	if p.err != nil {
		return
	}
	p.last = wire.Push{Replica: p.replica, Epoch: p.epoch, Prev: p.prev, Schema: "1"}
	for _, e := range edits {
		p.n++
		m := record.Mutation{N: p.n, ID: p.s.id(), Schema: "1", Stamp: version.StampAt(p.s.now()), Edits: []record.Edit{e}}
		p.last.Mutations = append(p.last.Mutations, m)
		p.prev = m.ID.String()
	}
	p.again(ctx, name, status)
}

// again sends the last push once more.
func (p *phone) again(ctx context.Context, name string, status ...int) {
	body, err := json.Marshal(p.last)
	p.err = errors.Join(p.err, err)
	p.ask(ctx, name, "/v1/sync/push", body, append(status, http.StatusOK)[0])
}

func (p *phone) request(more string) []byte {
	if more != "" {
		more = "," + more
	}
	return fmt.Appendf(nil, `{"replica":%q,"cursor":%q%s}`, p.replica, p.cursor, more)
}

// pull asks for one page.
func (p *phone) pull(ctx context.Context, name, more string) {
	answer := p.ask(ctx, name, "/v1/sync/pull", p.request(more), http.StatusOK)
	if p.err != nil {
		return
	}
	p.page = wire.PullAnswer{}
	if p.err = json.Unmarshal(answer, &p.page); p.err == nil {
		p.cursor = p.page.Cursor
	}
}

// ask makes an exchange, a second after the last.
func (p *phone) ask(ctx context.Context, name, path string, body []byte, status int) []byte {
	if p.err != nil {
		return nil
	}
	p.s.clock = p.s.clock.Add(time.Second)
	got, answer := p.s.ask(ctx, path, p.s.tokens[p.login], body)
	if got != status {
		p.err = fmt.Errorf("%s: %d instead of %d: %s", name, got, status, answer)
		return nil
	}
	p.s.exchanges = append(p.s.exchanges, exchange{name, path, p.login, body, got, answer})
	return answer
}

// writeFrames gives every exchange a file, in their order.
func (k keep) writeFrames(all []exchange) error {
	for i, e := range all {
		text, err := json.MarshalIndent(e, "", "  ")
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%02d_%s.json", i+1, e.Name)
		if err := write(filepath.Join(k.frames(), name), append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// readFrames reads them back.
func (k keep) readFrames() ([]exchange, error) {
	files, err := filepath.Glob(filepath.Join(k.frames(), "*.json"))
	if err != nil {
		return nil, err
	}
	var all []exchange
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var e exchange
		if err := json.Unmarshal(text, &e); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, e)
	}
	return all, nil
}
