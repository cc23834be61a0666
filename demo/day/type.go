package day

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"

	device "roadbook/clients/go"
	"roadbook/clients/go/badnet"
	"roadbook/record"
)

// visit is one that lin types, with its follow-up, as one action: the visit,
// the follow-up, the plan that it fulfils and the customer's last contact
// stand or fall together.
type visit struct {
	No       int       `json:"no"`
	ID       record.ID `json:"id"`
	FollowUp record.ID `json:"follow_up"`
	Account  record.ID `json:"account"`
	Plan     record.ID `json:"plan"` // NoID if it was not planned
	Summary  string    `json:"summary"`
	Content  string    `json:"content"`
}

// TypeConfig is what the app has when it runs by itself.
type TypeConfig struct {
	Now   func() time.Time
	NewID func() record.ID
	Sleep func(ctx context.Context, d time.Duration) error
	In    io.Reader // the app lives until this ends
	Out   io.Writer // "saving 3" before a visit is saved, "saved 3" after
}

// Type is the app in a process of its own, so that it can be killed. It opens
// the device whose store is in the folder args[0] and types the visits listed
// in the file args[1] up to number args[2], those that are not there yet. It
// has no network.
func Type(ctx context.Context, c TypeConfig, args []string) error {
	if len(args) != 3 {
		return errors.New("a folder, a file and a number are needed")
	}
	upTo, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	visits, err := readVisits(args[1])
	if err != nil {
		return err
	}
	nowhere := badnet.New(http.DefaultTransport, badnet.Plan{}, nil)
	nowhere.Offline(true)
	d, err := device.Open(device.Config{
		Dir: args[0], Now: c.Now, NewID: c.NewID, HTTP: &http.Client{Transport: nowhere},
	})
	if err != nil {
		return err
	}
	for _, v := range visits {
		if _, there := d.Get(v.ID); there || v.No > upTo {
			continue
		}
		_, _ = fmt.Fprintln(c.Out, "saving", v.No)
		if err := v.save(d, c.Now()); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(c.Out, "saved", v.No)
		if err := c.Sleep(ctx, time.Millisecond); err != nil { // for the reader to see which one it is
			return err
		}
	}
	_, _ = io.Copy(io.Discard, c.In)
	return d.Close()
}

func readVisits(file string) ([]visit, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var visits []visit
	return visits, json.Unmarshal(text, &visits)
}

// save types the visit and all that belongs to it.
func (v visit) save(d *device.Device, now time.Time) error {
	at := now.UTC().Format("2006-01-02T15:04:05Z")
	_, err := d.Mutate(func(t *device.Typing) error {
		visited := device.Values{
			"account": v.Account.String(), "check_in": evidence(now, v.No), "check_out": evidence(now, v.No),
			"purpose": []string{"display", "stock"}, "summary": v.Summary, "result": "follow_up", "status": "closed",
		}
		if !v.Plan.IsZero() {
			visited["plan"] = v.Plan.String()
			t.Edit("visit_plan", v.Plan, func(dr *device.Draft) { dr.Set("status", "done") })
		}
		t.CreateAs("visit", v.ID, visited)
		t.CreateAs("follow_up", v.FollowUp, device.Values{
			"account": v.Account.String(), "kind": "chat", "happened_at": at,
			"content": v.Content, "next_step": "下次带样品",
		})
		t.Edit("account", v.Account, func(dr *device.Draft) { dr.Set("last_contact_at", at) })
		return nil
	})
	return err
}

// parts counts how much of a visit is on a phone that has not synced yet, out
// of how much: the two records as they are shown, and the edits in the outbox.
func (v visit) parts(p *phone) (there, of int) {
	visited, followed := p.view(v.ID), p.view(v.FollowUp)
	of = 2 + 3 // the two records; their edits and the customer's
	if !v.Plan.IsZero() {
		of++
	}
	if visited.Text("summary") == v.Summary && visited.Raw("check_in") != nil && visited.Raw("check_out") != nil {
		there++
	}
	if followed.Text("content") == v.Content {
		there++
	}
	for _, m := range p.Outbox() {
		if slices.ContainsFunc(m.Edits, func(e record.Edit) bool { return e.ID == v.ID || e.ID == v.FollowUp }) {
			there += len(m.Edits)
		}
	}
	return there, of
}
