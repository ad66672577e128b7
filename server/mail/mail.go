package mail

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/rounds"
)

// State says how far a mail has come. Stored; numbers are final.
type State uint8

// States of a mail.
const (
	Waiting State = 1
	Sent    State = 2
	Failed  State = 3
)

// String returns the word used in JSON.
func (s State) String() string {
	return map[State]string{Waiting: "waiting", Sent: "sent", Failed: "failed"}[s]
}

// Mail is one mail to one person. Text is plain text; it is empty once the mail was sent.
type Mail struct {
	ID        uuid.UUID
	To        string
	Subject   string
	Text      string
	State     State
	Attempts  int
	DueAt     time.Time
	CreatedAt time.Time
	SentAt    time.Time
	Failure   string // why the last attempt failed
}

// Store is the storage of the outbox. Methods join the transaction in ctx. Lists are
// newest first and begin before an id; the zero id is the newest.
type Store interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	// AddMail is problem.Conflict when the id is there.
	AddMail(ctx context.Context, m Mail) error
	SetMail(ctx context.Context, m Mail) error
	// MailsDue returns waiting mails whose time has come, oldest first.
	MailsDue(ctx context.Context, now time.Time, limit int) ([]Mail, error)
	Mails(ctx context.Context, before uuid.UUID, limit int) ([]Mail, error)
}

// Sender hands a mail to a mail server.
type Sender interface {
	Send(ctx context.Context, m Mail) error
}

// Options are what the outbox stands on. Without a Sender mails stay where they are.
type Options struct {
	Store  Store
	Sender Sender
	Clock  clock.Clock
	NewID  func() uuid.UUID
	Log    *slog.Logger
	Turn   rounds.Turn
}

const (
	roundEvery = 5 * time.Second
	perRound   = 20
	// giveUpAfter is for how long a mail is tried.
	giveUpAfter = 3 * 24 * time.Hour
	longestWait = 6 * time.Hour
	// MaxText bounds a mail's text, in bytes.
	MaxText = 64 << 10
	maxWhy  = 200
)

// Outbox sends what was queued. It is safe for concurrent use, also by several
// processes on one database.
type Outbox struct {
	*rounds.Loop
	o Options
}

// New returns the outbox; nothing is sent before Start.
func New(o Options) *Outbox {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	b := &Outbox{o: o}
	b.Loop = rounds.Elected(roundEvery, o.Turn, b.Round, func(err error) { o.Log.Error("mails could not be sent; it is tried again", "error", err) })
	return b
}

// Queue keeps a mail to be sent, in the transaction of ctx.
func (b *Outbox) Queue(ctx context.Context, to, subject, text string) error {
	return b.queue(ctx, b.o.NewID(), to, subject, text)
}

// QueueOnce is Queue unless a mail of that id was queued before. Ids are in the order of
// time (RFC 9562 version 7).
func (b *Outbox) QueueOnce(ctx context.Context, id uuid.UUID, to, subject, text string) error {
	if err := b.queue(ctx, id, to, subject, text); problem.CodeOf(err) != problem.Conflict {
		return err
	}
	return nil
}

func (b *Outbox) queue(ctx context.Context, id uuid.UUID, to, subject, text string) error {
	if len(text) > MaxText {
		return fmt.Errorf("queue mail: %d bytes, at most %d are allowed", len(text), MaxText)
	}
	now := b.now()
	err := b.o.Store.AddMail(ctx, Mail{
		ID: id, To: to, Subject: subject, Text: text, State: Waiting, DueAt: now, CreatedAt: now,
	})
	if err != nil {
		return fmt.Errorf("queue mail: %w", err)
	}
	return nil
}

// Sends says whether there is a mail server.
func (b *Outbox) Sends() bool { return b.o.Sender != nil }

// List returns mails, newest first, from before an id on.
func (b *Outbox) List(ctx context.Context, before uuid.UUID, limit int) ([]Mail, error) {
	return b.o.Store.Mails(ctx, before, limit)
}

// Round sends what is due.
func (b *Outbox) Round(ctx context.Context) error {
	if b.o.Sender == nil {
		return nil
	}
	due, err := b.o.Store.MailsDue(ctx, b.now(), perRound)
	if err != nil {
		return fmt.Errorf("read mails: %w", err)
	}
	for _, m := range due {
		if err := b.send(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

// send writes down that it tries before it does, so that a mail that ends the process
// does not do so at once again.
func (b *Outbox) send(ctx context.Context, m Mail) error {
	m.Attempts++
	m.DueAt = b.now().Add(min(longestWait, time.Minute<<min(m.Attempts-1, 10)))
	if err := b.o.Store.SetMail(ctx, m); err != nil {
		return fmt.Errorf("mark mail: %w", err)
	}
	switch err := b.o.Sender.Send(ctx, m); {
	case err == nil:
		m.State, m.SentAt, m.Text, m.Failure = Sent, b.now(), "", ""
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		m.Failure = cut(err.Error())
		if b.now().Sub(m.CreatedAt) > giveUpAfter {
			m.State, m.Text = Failed, ""
		}
		b.o.Log.Warn("a mail was not taken", "mail", m.ID, "attempt", m.Attempts, "error", err)
	}
	if err := b.o.Store.SetMail(ctx, m); err != nil {
		return fmt.Errorf("mark mail: %w", err)
	}
	return nil
}

func cut(text string) string {
	runes := []rune(text)
	return string(runes[:min(len(runes), maxWhy)])
}

func (b *Outbox) now() time.Time { return b.o.Clock.Now().UTC().Truncate(time.Millisecond) }
