package pass

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/cursortext"
	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of the phones' log.
const (
	// LogKept is how many lines are kept.
	LogKept = 1000
	// MaxLogLines and MaxLogLine bound what one request adds.
	MaxLogLines = 20
	MaxLogLine  = 500
	// logPerMinute is what one process takes from all phones together; the rest is dropped.
	logPerMinute = 120
)

// Stage is how many passes of a channel have come how far. Lags are from the cause of a
// change to when it was fetched, of passes fetched since the time asked for; zero
// without any.
type Stage struct {
	Channel   Channel
	Issued    int64 // ever
	Installed int64
	Pushed    int64
	Listed    int64
	Fetched   int64
	Voided    int64
	Good      int64 // not voided
	OnPhones  int64 // of the good ones, installed now
	Current   int64 // of those, fetched as they are now
	LagMedian time.Duration
	LagWorst  time.Duration // of 95 in 100
}

// funnel counts how far passes have come, by channel; lags of what was fetched since.
func (s *Service) funnel(ctx context.Context, since time.Time) ([]Stage, error) {
	stages, err := s.o.Store.PassFunnel(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("count passes: %w", err)
	}
	return stages, nil
}

// List returns passes, newest first, and the cursor of the next page.
func (s *Service) List(ctx context.Context, f Filter, cursor string, limit int) ([]Tracked, string, error) {
	after, err := readPlace(cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.o.Store.ListPasses(ctx, f, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list passes: %w", err)
	}
	if len(rows) <= limit {
		return rows, "", nil
	}
	rows = rows[:limit]
	last := rows[limit-1]
	raw := binary.BigEndian.AppendUint64(nil, uint64(last.IssuedAt.UnixMilli()))
	return rows, cursortext.Of(append(raw, last.ID[:]...)), nil
}

func readPlace(cursor string) (*Place, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := cursortext.Bytes(cursor)
	if err != nil || len(raw) != 24 {
		return nil, problem.New(problem.CursorInvalid, "the cursor is not one of this list")
	}
	return &Place{At: time.UnixMilli(int64(binary.BigEndian.Uint64(raw))).UTC(), ID: uuid.UUID(raw[8:])}, nil
}

// AddLog keeps what a phone says went wrong, as far as there is room for it.
func (s *Service) AddLog(ctx context.Context, lines []string) error {
	now := s.now()
	var kept []Line
	for _, text := range lines[:min(len(lines), MaxLogLines)] {
		if text = readable(text); text == "" {
			continue
		}
		if !s.logged.take(now) {
			break
		}
		kept = append(kept, Line{ID: s.o.NewID(), At: now, Text: text})
	}
	if len(kept) == 0 {
		return nil
	}
	if err := s.o.Store.AddPassLog(ctx, kept, LogKept); err != nil {
		return fmt.Errorf("keep phones' log: %w", err)
	}
	return nil
}

// readable is a foreign line without what a page should not show.
func readable(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, " ")))
	if cut := []rune(text); len(cut) > MaxLogLine {
		return string(cut[:MaxLogLine])
	}
	return text
}

// Log lists the phones' lines, newest first, those before an id.
func (s *Service) Log(ctx context.Context, before uuid.UUID, limit int) ([]Line, error) {
	lines, err := s.o.Store.PassLog(ctx, before, limit)
	if err != nil {
		return nil, fmt.Errorf("list phones' log: %w", err)
	}
	return lines, nil
}

// allowance is how many lines are taken in the present minute.
type allowance struct {
	mu     sync.Mutex
	minute time.Time
	taken  int
}

func (a *allowance) take(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if minute := now.Truncate(time.Minute); !minute.Equal(a.minute) {
		a.minute, a.taken = minute, 0
	}
	a.taken++
	return a.taken <= logPerMinute
}

// Figures are for the metrics of this process and of the queue.
type Figures struct {
	Signed  int64 // passes signed by this process
	Waiting int64 // phones and objects to be told
	Failing int64 // of those, tried before
	Stages  []Stage
}

// Figures counts; lags are of what was fetched in the last within.
func (s *Service) Figures(ctx context.Context, within time.Duration) (Figures, error) {
	f := Figures{Signed: s.signed.Load()}
	var err error
	if f.Waiting, f.Failing, err = s.o.Store.PushesWaiting(ctx); err != nil {
		return f, fmt.Errorf("count pushes: %w", err)
	}
	f.Stages, err = s.funnel(ctx, s.now().Add(-within))
	return f, err
}
