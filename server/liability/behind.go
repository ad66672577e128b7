package liability

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/journal"
)

// Column is one of a line.
type Column string

// Columns, in the order of a line.
const (
	ColumnIssued   Column = "issued"
	ColumnRedeemed Column = "redeemed"
	ColumnExpired  Column = "expired"
	ColumnReversed Column = "reversed"
	ColumnRestored Column = "restored"
	ColumnMoved    Column = "moved"
	ColumnAdjusted Column = "adjusted"
	ColumnRepaid   Column = "repaid"
)

// of is what a line has in the column; ok is false when there is no such column.
func (c Column) of(l Line) (n int64, ok bool) {
	n, ok = map[Column]int64{
		ColumnIssued: l.Issued, ColumnRedeemed: l.Redeemed, ColumnExpired: l.Expired, ColumnReversed: l.Reversed, ColumnRestored: l.Restored,
		ColumnMoved: l.Moved, ColumnAdjusted: l.Adjusted, ColumnRepaid: l.Repaid,
	}[c]
	return n, ok
}

// Posted is one posting of a member, as a row of its own, with where it comes from. Writer
// is nobody for HQ's own journal.
type Posted struct {
	Row
	ID, Account, Store      uuid.UUID
	Source                  journal.Hash
	Writer                  uuid.UUID
	Epoch                   uint32
	Seq                     uint64
	RecordedAt, EffectiveAt int64
}

// Behind is one figure of a roll-forward: a column of a month, and of one bucket unless
// Expires is zero.
type Behind struct {
	Question
	Month   Month
	Expires Month
	Column  Column
}

// Place is where a page of postings ended: a shard, and in it a posting, or none yet. At is
// when it was recorded or took effect, as the pages are ordered.
type Place struct {
	Shard   int
	At      int64
	Account uuid.UUID
	ID      uuid.UUID
}

// postings is the storage of what stands behind figures.
type postings interface {
	// PostedAfter lists postings of a shard behind a place, of all units: those recorded, or
	// effective if that is asked, from a time on and before another, by that time, account and
	// id. It reads no more than limit of them.
	PostedAfter(ctx context.Context, by By, from, before int64, after Place, limit int) ([]Posted, error)
}

const (
	postedAtOnce = 500
	// longest is how long a page is looked for; what was found by then is the page.
	longest = 2 * time.Second
)

// Postings lists the postings behind a figure: shard by shard, and in it by the time that
// the question is about. A page may have fewer than limit, or none, while next is not empty.
// It is problem.Unavailable when not even one step was made in the time there is.
func (s *Service) Postings(ctx context.Context, b Behind, cursor string, limit int) (list []Posted, next string, err error) {
	b.From, b.To = b.Month, b.Month
	if b.Question, err = s.asked(b.Question); err != nil {
		return nil, "", err
	}
	if _, known := b.Column.of(Line{}); !known || !b.Month.calendar() {
		return nil, "", problem.New(problem.InvalidField, "a figure has a month and a column")
	}
	start, err := placeOf(cursor)
	if err != nil {
		return nil, "", err
	}
	at := start
	err = s.inTime(ctx, func(ctx context.Context) (err error) {
		list, err = s.postings(ctx, b, &at, limit)
		return err
	})
	if err != nil && (at == start || problem.CodeOf(err) != problem.Unavailable) {
		return nil, "", err
	}
	if at.Shard == shard.Count {
		return list, "", nil
	}
	return list, at.text(), nil
}

// postings reads on from a place, until there are enough or it has taken too long. With an
// error, list and place are what was read before.
func (s *Service) postings(ctx context.Context, b Behind, at *Place, limit int) (list []Posted, err error) {
	began := s.env.Clock.Now()
	for at.Shard < shard.Count && s.env.Clock.Now().Sub(began) <= longest {
		found, err := s.env.Store.PostedAfter(ctx, b.By, b.Month.first().start(), (b.Month.last() + 1).start(), *at, postedAtOnce)
		if err != nil {
			return list, fmt.Errorf("read postings: %w", err)
		}
		for _, p := range found {
			*at = Place{at.Shard, p.at(b.By), p.Account, p.ID}
			if b.has(p.Row) {
				list = append(list, p)
			}
			if len(list) == limit {
				return list, nil
			}
		}
		if len(found) < postedAtOnce {
			*at = Place{Shard: at.Shard + 1}
		}
	}
	return list, nil
}

// at is the time of a posting that a question is about.
func (p Posted) at(by By) int64 {
	if by == Effective {
		return p.EffectiveAt
	}
	return p.RecordedAt
}

// has says whether a row is part of the figure.
func (b Behind) has(row Row) bool {
	l, ok := changeOf(row)
	n, _ := b.Column.of(l)
	return ok && n != 0 && b.counts(row) && (b.Expires == 0 || Month(row.Expires) == b.Expires)
}

func (p Place) text() string {
	b := binary.BigEndian.AppendUint16(nil, uint16(p.Shard))
	b = binary.BigEndian.AppendUint64(b, uint64(p.At))
	b = append(b, p.Account[:]...)
	return cursortext.Of(append(b, p.ID[:]...))
}

func placeOf(cursor string) (p Place, err error) {
	if cursor == "" {
		return p, nil
	}
	b, err := cursortext.Bytes(cursor)
	if err != nil || len(b) != 42 || binary.BigEndian.Uint16(b) >= shard.Count {
		return p, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	p.Shard, p.At = int(binary.BigEndian.Uint16(b)), int64(binary.BigEndian.Uint64(b[2:]))
	copy(p.Account[:], b[10:26])
	copy(p.ID[:], b[26:])
	return p, nil
}
