package storeday

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
)

// Behind says which entries of a day are listed: of one lane, those that a line counts.
type Behind struct {
	Store  uuid.UUID
	Date   entry.Date
	Writer journal.Writer
	Line   Line
}

// DayEntry is an entry with what a line counts of it.
type DayEntry struct {
	Seq        uint64
	Hash       journal.Hash
	Date       entry.Date // of the entry
	OccurredAt int64
	Amount     int64
	Rejected   bool
}

// Entries lists the entries behind a line of one lane of a day, in their order. One call
// looks at a bounded part of the journal, so a page may have fewer than limit, or none,
// and others follow as long as next is not empty.
func (s *Service) Entries(ctx context.Context, b Behind, cursor string, limit int) (list []DayEntry, next string, err error) {
	from, err := seqOf(cursor)
	if err != nil {
		return nil, "", err
	}
	store, err := s.env.Fleet.Store(ctx, b.Store)
	if err != nil {
		return nil, "", err
	}
	pieces, err := s.pieces(ctx, store, &Waterfall{Date: b.Date})
	if err != nil {
		return nil, "", err
	}
	for _, p := range pieces {
		if p.lane.Writer == b.Writer {
			return s.behind(ctx, b, max(from, p.First), p.Last, limit)
		}
	}
	return nil, "", problem.New(problem.NotFound, "the day has no such lane")
}

func (s *Service) behind(ctx context.Context, b Behind, first, last uint64, limit int) (list []DayEntry, next string, err error) {
	if first > last {
		return nil, "", nil
	}
	entries, err := s.env.Store.DayEntries(ctx, b.Writer, first, last, readAtOnce)
	if err != nil {
		return nil, "", fmt.Errorf("read the entries of a day: %w", err)
	}
	deeds := readAll(entries)
	sales, err := s.undone(ctx, b.Writer, entries, deeds)
	if err != nil {
		return nil, "", err
	}
	rejected, err := s.rejected(ctx, b.Writer, entries)
	if err != nil {
		return nil, "", err
	}
	for i, e := range entries {
		if len(list) == limit {
			return list, cursorOf(e.Seq), nil
		}
		env := deeds[i]
		if !env.ok || env.Kind != b.Line.Kind {
			continue
		}
		var f daybook.Figures
		count(&f, env, sales[e.Seq])
		if sum, ok := sumsOf(filled(&f))[b.Line]; ok {
			list = append(list, DayEntry{e.Seq, e.Hash, env.BusinessDate, env.OccurredAt, sum.Amount, rejected[e.Hash]})
		}
	}
	if n := len(entries); n > 0 && entries[n-1].Seq < last {
		return list, cursorOf(entries[n-1].Seq + 1), nil
	}
	return list, "", nil
}

func cursorOf(seq uint64) string { return cursortext.Of(binary.BigEndian.AppendUint64(nil, seq)) }

func seqOf(cursor string) (uint64, error) {
	if cursor == "" {
		return 0, nil
	}
	b, err := cursortext.Bytes(cursor)
	if err != nil || len(b) != 8 || binary.BigEndian.Uint64(b) > 1<<63-1 {
		return 0, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return binary.BigEndian.Uint64(b), nil
}

// LineOf reads a line that is named in words; empty ones are none of it.
func LineOf(kind, currency, flow, unit, basis string) (Line, error) {
	l := Line{Kind: tradeKinds[kind], Currency: currency, Flow: dayFlows[flow], Unit: unit, Basis: dayBases[basis]}
	if l.Kind == 0 || flow != "" && l.Flow == 0 || basis != "" && l.Basis == 0 || (l.Flow == 0) == (currency == "") {
		return Line{}, problem.New(problem.InvalidField, "a line has the kind sale, void or return, and a currency, or a flow (earned or redeemed), a unit and a basis")
	}
	return l, nil
}
