package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"

	"roadbook/record"
	"roadbook/sync/wire"
	"roadbook/version"
)

// client keeps as many connections as there are phones, and undoes no
// compression by itself: bytes are what is measured.
var client = &http.Client{Transport: &http.Transport{
	MaxIdleConns: 2_000, MaxIdleConnsPerHost: 2_000, DisableCompression: true,
}}

// phone is the thinnest device there is: it speaks the wire and keeps nothing,
// so that a run measures the server.
type phone struct {
	w       *world
	user    string
	install string
	rep     int
	token   string
	replica version.Replica
	n       uint64
	prev    string
	cursor  string
	answer  bytes.Buffer // the last one
}

// signIn signs a person in on a new device.
func (w *world) signIn(ctx context.Context, user string) (*phone, error) {
	p := &phone{w: w, user: user, install: w.id().String()}
	return p, p.again(ctx)
}

// again signs in on the device that the phone is.
func (p *phone) again(ctx context.Context) error {
	body, err := json.Marshal(wire.LoginRequest{Org: orgName, User: p.user, Password: password, Device: wire.DeviceInfo{
		Install: p.install, Kind: "phone", Platform: "bench", App: "1",
	}})
	if err != nil {
		return err
	}
	p.token = ""
	answer, err := p.post(ctx, "/v1/auth/login", body, "")
	if err != nil {
		return err
	}
	var a wire.LoginAnswer
	if err := json.Unmarshal(answer, &a); err != nil {
		return err
	}
	p.token, p.replica = a.AccessToken, a.Replica
	return nil
}

// post asks for something and reads the answer as it comes. The answer is good
// until the next one.
func (p *phone) post(ctx context.Context, path string, body []byte, accept string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.w.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if accept != "" {
		request.Header.Set("Accept-Encoding", accept)
	}
	if p.token != "" {
		request.Header.Set("Authorization", "Bearer "+p.token)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	p.answer.Reset()
	_, err = p.answer.ReadFrom(answer.Body)
	got := p.answer.Bytes()
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %.500s", path, answer.Status, got)
	}
	return got, err
}

// frame is a push of a phone's next mutations as bytes.
func (p *phone) frame(edits []record.Edit) ([]byte, error) {
	push := wire.Push{Replica: p.replica, Prev: p.prev}
	for _, e := range edits {
		p.n++
		id := p.w.id()
		p.prev = id.String()
		push.Mutations = append(push.Mutations, record.Mutation{
			N: p.n, ID: id, Stamp: version.StampAt(p.w.Now()), Edits: []record.Edit{e},
		})
	}
	return json.Marshal(&push)
}

// push sends a frame; whatever is refused is a fault of the measure.
func (p *phone) push(ctx context.Context, frame []byte) error {
	answer, err := p.post(ctx, "/v1/sync/push", frame, "")
	if err != nil {
		return err
	}
	if i := bytes.Index(answer, []byte(`"result":"refused"`)); i >= 0 {
		return fmt.Errorf("a mutation was refused: %.400s", answer[max(0, i-80):])
	}
	return nil
}

// queue is a day's outbox: 70 % edits of one to three fields of the phone's
// own accounts, 30 % new visits. What the author has seen is the org as it was
// filled.
func (p *phone) queue(n int) []record.Edit {
	edits := make([]record.Edit, n)
	mine := p.w.accounts[p.rep]
	for i := range edits {
		account := mine[(int(p.n)+i)%len(mine)]
		switch i % 10 {
		case 0, 1, 2:
			edits[i] = record.Edit{Op: record.OpCreate, Kind: "visit", ID: p.w.id(), Set: p.w.texts.visit(account, record.NoID)}
			continue
		case 3, 4:
			edits[i].Set = record.Values{}.With("short_name", text("简称 "+strconv.Itoa(i))).With("grade", text("A"))
		case 5:
			edits[i].Set = record.Values{}.With("address", text("人民路 "+strconv.Itoa(i)+" 号")).
				With("remark", text("改了地址，门口有新招牌")).With("source", text("referral"))
		default:
			edits[i].Set = record.Values{}.With("remark", text("第 "+strconv.Itoa(int(p.n)+i)+" 次修改：老板下周回来，带样品。"))
		}
		edits[i].Op, edits[i].Kind, edits[i].ID = record.OpEdit, "account", account
		edits[i].Seen = version.Vector{version.Log: uint64(p.w.head)}
	}
	return edits
}

// synced is what came of a sync.
type synced struct {
	took    time.Duration
	bytes   int // as they came over the network
	plain   int
	records int
	cursor  string
}

// sync pulls until nothing is left. Decompression is not part of the time.
func (p *phone) sync(ctx context.Context, cursor, accept string) (s synced, err error) {
	for more := true; more; {
		ask := fmt.Sprintf(`{"replica":%q,"cursor":%q,"want":{"from":"2000-01"}}`, p.replica, cursor)
		begun := p.w.Now()
		page, err := p.post(ctx, "/v1/sync/pull", []byte(ask), accept)
		if err != nil {
			return s, err
		}
		s.took += p.w.Now().Sub(begun)
		s.bytes += len(page)
		if accept == "zstd" {
			if page, err = unzip.DecodeAll(page, nil); err != nil {
				return s, err
			}
		}
		s.plain += len(page)
		s.records += bytes.Count(page, []byte(`"full":true`))
		cursor = between(page, `"cursor":"`, `"`)
		more = !bytes.Contains(page, []byte(`"complete":true`)) || bytes.Contains(page, []byte(`"filling":true`))
	}
	s.cursor = cursor
	return s, nil
}

var unzip, _ = zstd.NewReader(nil)

// between is what stands between the last of two marks.
func between(b []byte, from, to string) string {
	i := bytes.LastIndex(b, []byte(from))
	if i < 0 {
		return ""
	}
	b = b[i+len(from):]
	return string(b[:max(0, bytes.Index(b, []byte(to)))])
}
