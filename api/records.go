package api

import (
	"context"
	"encoding/json"
	"hash/crc32"
	"net/http"
	"strconv"
	"time"

	"roadbook/errs"
	"roadbook/record"
	"roadbook/sync/online"
	"roadbook/version"
)

// OneRecord is the address of a record.
type OneRecord struct {
	Kind string `path:"kind" maxLength:"128" example:"account"`
	ID   string `path:"id" format:"uuid"`
}

func (o *OneRecord) id() record.ID {
	id, _ := record.ParseID(o.ID) // huma has looked at it
	return id
}

// Paged is where in a list to go on, and how far.
type Paged struct {
	Limit int    `query:"limit" minimum:"1" maximum:"200" doc:"How many at most; 50 if it is not said."`
	After string `query:"after" maxLength:"1024" doc:"The after of the page before."`
}

type listing struct {
	Paged

	Kind   string `path:"kind" maxLength:"128" example:"account"`
	Filter string `query:"filter" maxLength:"4096" doc:"A CEL expression over the fields that lists are sorted and filtered by." example:"stage == \"customer\""`
	Sort   string `query:"sort" maxLength:"128" doc:"A field, seq or id; with a minus the last first. Without it the newest come first." example:"-seq"`
}

type recordPage struct {
	Records []online.Record `json:"records"`
	After   string          `json:"after,omitempty"`
}

type listed struct{ Body recordPage }

// listRecords reads a part of the records of a kind.
func (s *Server) listRecords(ctx context.Context, in *listing) (*listed, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	page, err := records.List(ctx, callOf(ctx).who, online.Query{
		Kind: in.Kind, Filter: in.Filter, Sort: in.Sort, Limit: in.Limit, After: in.After,
	})
	if err != nil {
		return nil, err
	}
	return &listed{recordPage{append([]online.Record{}, page.Records...), page.After}}, nil
}

type reading struct {
	OneRecord

	IfNoneMatch string `header:"If-None-Match" maxLength:"1024"`
}

type recordRead struct {
	Status       int    `json:"-"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         online.Record
}

// getRecord reads one record. Who asks with the tag of what he has is told in
// a few bytes that it still stands. The tag is of what he may see, so that it
// changes with his rights too.
func (s *Server) getRecord(ctx context.Context, in *reading) (*recordRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	rec, err := records.Get(ctx, callOf(ctx).who, in.Kind, in.id())
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	tag := strconv.Quote(rec.Seq.String() + "." + strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 36))
	out := &recordRead{Status: http.StatusOK, ETag: tag, CacheControl: "private, no-cache", Body: rec}
	if in.IfNoneMatch == tag {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

type pastOf struct {
	OneRecord
	Paged
}

// pastChange is what one mutation did to a record, with its name.
type pastChange struct {
	online.Change

	Dot version.Dot `json:"dot" doc:"Names the mutation, for restore."`
}

type historyPage struct {
	Changes []pastChange `json:"changes"`
	After   string       `json:"after,omitempty"`
}

type historyRead struct{ Body historyPage }

// recordHistory reads what became of a record.
func (s *Server) recordHistory(ctx context.Context, in *pastOf) (*historyRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	after, err := seqOf(in.After)
	if err != nil {
		return nil, err
	}
	past, err := records.History(ctx, callOf(ctx).who, in.Kind, in.id(), after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &historyRead{historyPage{Changes: make([]pastChange, len(past.Changes))}}
	for i, c := range past.Changes {
		out.Body.Changes[i] = pastChange{c, c.Dot}
	}
	if past.After > 0 {
		out.Body.After = past.After.String()
	}
	return out, nil
}

// seqOf reads the place of a history; empty is its beginning.
func seqOf(text string) (record.Seq, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, badParameter("after", "must be a whole number")
	}
	return record.Seq(n), nil
}

func badParameter(name, detail string) error {
	return errs.New("api.parameter", errs.Invalid, "%s", name+": "+detail).Coded("parameter").Of(errs.Field{Field: name, Detail: detail})
}

type timelinePage struct {
	Happenings []online.Happening `json:"happenings"`
	After      string             `json:"after,omitempty"`
}

type timelineRead struct{ Body timelinePage }

// recordTimeline reads what happened around a record.
func (s *Server) recordTimeline(ctx context.Context, in *pastOf) (*timelineRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	line, err := records.Timeline(ctx, callOf(ctx).who, in.Kind, in.id(), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	return &timelineRead{timelinePage{append([]online.Happening{}, line.Happenings...), line.After}}, nil
}

type dayOf struct {
	At time.Time `query:"at" doc:"An instant of the day that is meant; now if it is not said."`
}

type dayRead struct{ Body online.Today }

type boardRead struct{ Body online.Board }

// board is who has how much to do.
func (s *Server) board(ctx context.Context, in *dayOf) (*boardRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	at := in.At
	if at.IsZero() {
		at = s.Now()
	}
	board, err := records.Board(ctx, callOf(ctx).who, at)
	if err != nil {
		return nil, err
	}
	return &boardRead{board}, nil
}

type morningOf struct {
	At          time.Time `query:"at" doc:"An instant of the first day that is meant; now if it is not said."`
	IfNoneMatch string    `header:"If-None-Match" maxLength:"1024"`
}

type morningRead struct {
	Status       int    `json:"-"`
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         online.Morning
}

// morning is what the caller needs of his next two days. Who asks with the tag of
// what he has is told in a few bytes that it still stands.
func (s *Server) morning(ctx context.Context, in *morningOf) (*morningRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	at := in.At
	if at.IsZero() {
		at = s.Now()
	}
	pack, err := records.Morning(ctx, callOf(ctx).who, at)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(pack)
	if err != nil {
		return nil, err
	}
	tag := strconv.Quote(strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 36) + "." + strconv.Itoa(len(text)))
	out := &morningRead{Status: http.StatusOK, ETag: tag, CacheControl: "private, no-cache", Body: pack}
	if in.IfNoneMatch == tag {
		out.Status = http.StatusNotModified
	}
	return out, nil
}

// today is the caller's day at a glance.
func (s *Server) today(ctx context.Context, in *dayOf) (*dayRead, error) {
	records, err := s.Online()
	if err != nil {
		return nil, err
	}
	at := in.At
	if at.IsZero() {
		at = s.Now()
	}
	day, err := records.Today(ctx, callOf(ctx).who, at)
	if err != nil {
		return nil, err
	}
	return &dayRead{day}, nil
}
