package expiry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/rounds"
	"github.com/tallystick/tallystick/wallet/doctor"
)

// lookEvery is how often it is looked: a rung is told within that time.
const lookEvery = time.Hour

// Certificate is what will end. Name says which, in words.
type Certificate struct {
	Name   string
	EndsAt time.Time
}

// Mails queues a mail unless one of that id was queued before.
type Mails interface {
	QueueOnce(ctx context.Context, id uuid.UUID, to, subject, text string) error
}

// Options are what the watch stands on.
type Options struct {
	Certificates []Certificate
	To           []string // addresses; none for no mail
	Mails        Mails
	// Programme is whose certificates they are.
	Programme string
	// Locale is the language of the mails: en (also when it is empty), tr or pl.
	Locale string
	Clock  clock.Clock
	Log    *slog.Logger
	Turn   rounds.Turn
}

// Watch looks once an hour. It is safe for concurrent use.
type Watch struct {
	*rounds.Loop
	o    Options
	told map[Certificate]int // by this process, in its log; only the loop reads it
}

// New returns a watch that is not started.
func New(o Options) *Watch {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Watch{o: o, told: map[Certificate]int{}}
	w.Loop = rounds.Elected(lookEvery, o.Turn, w.Round, func(err error) {
		o.Log.Error("nobody could be told of ending certificates; it is tried again", "error", err)
	})
	return w
}

// Certificates returns all, and at what time they end.
func (w *Watch) Certificates() []Certificate { return w.o.Certificates }

// Due returns those that end within 60 days, or have ended.
func (w *Watch) Due() []Certificate {
	var out []Certificate
	for _, c := range w.o.Certificates {
		if doctor.Due(w.o.Clock.Now(), c.EndsAt) >= 0 {
			out = append(out, c)
		}
	}
	return out
}

// Round tells what is due and was not told yet.
func (w *Watch) Round(ctx context.Context) error {
	now := w.o.Clock.Now()
	for _, c := range w.Due() {
		rung := doctor.Due(now, c.EndsAt)
		finding := doctor.Expiry(now, c.Name, time.Time{}, c.EndsAt)
		if before, told := w.told[c]; !told || before != rung {
			w.o.Log.Warn(finding.What, "what_to_do", finding.Do)
			w.told[c] = rung
		}
		for _, to := range w.o.To {
			subject, text, err := w.compose(now, c)
			if err != nil {
				return err
			}
			if err := w.o.Mails.QueueOnce(ctx, mailID(c, rung, to), to, subject, text); err != nil {
				return fmt.Errorf("tell of ending certificate: %w", err)
			}
		}
	}
	return nil
}

// mailID is the same for the same news to the same address. Its first 48 bits are the
// moment from which the news is due, as in any id of version 7 (RFC 9562 §5.7), so that
// the mail stands among others in the order of time.
func mailID(c Certificate, rung int, to string) uuid.UUID {
	due := c.EndsAt.AddDate(0, 0, -rung).UnixMilli()
	sum := sha256.Sum256(fmt.Appendf(nil, "tallystick expiry mail v1\x00%s\x00%d\x00%d\x00%s", c.Name, c.EndsAt.Unix(), rung, to))
	var id uuid.UUID
	copy(id[:], sum[:])
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(due))
	copy(id[:6], at[2:])
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	return id
}
