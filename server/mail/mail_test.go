package mail_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/testkit/mailsink"
	"github.com/tallystick/tallystick/internal/testkit/pg"
	"github.com/tallystick/tallystick/server/mail"
	"github.com/tallystick/tallystick/server/store"
)

// rig is an outbox on a real database before a real socket.
type rig struct {
	*mail.Outbox
	db    *store.DB
	clock *clock.Fake
	sink  *mailsink.Sink
}

func newRig(t *testing.T, dsn string) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	must(t, db.Migrate(t.Context()))
	r := &rig{db: db, clock: clock.NewFake(time.Date(2026, 6, 1, 9, 0, 0, 0, time.UTC)), sink: mailsink.Start(t)}
	sender, err := mail.NewSMTP("smtp://"+r.sink.Address(), "Corner Shop <card@shop.example>")
	must(t, err)
	r.Outbox = mail.New(mail.Options{Store: db, Sender: sender, Clock: r.clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) }})
	return r
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) only(t *testing.T) mail.Mail {
	t.Helper()
	all, err := r.List(t.Context(), uuid.Nil, 10)
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%d mails", len(all))
	}
	return all[0]
}

func TestAMailIsSentOnceAndItsTextForgotten(t *testing.T) {
	story := func(t *testing.T, dsn string) {
		r := newRig(t, dsn)
		must(t, r.Queue(t.Context(), "żaneta@example.org", "Kartınız hazır", "İyi günler ₺\nhttps://hq.example/card/#/open/abc\n"))
		for range 2 {
			must(t, r.Round(t.Context()))
		}
		got := r.sink.Mails()
		if len(got) != 1 {
			t.Fatalf("%d mails arrived", len(got))
		}
		for _, want := range []string{"Corner Shop", "Auto-Submitted: auto-generated", "@tallystick>", "https://hq.example/card/#/open/abc"} {
			if !strings.Contains(got[0].Data, want) {
				t.Errorf("no %q in %s", want, got[0].Data)
			}
		}
		if m := r.only(t); m.State != mail.Sent || m.Text != "" || m.Attempts != 1 || !m.SentAt.Equal(r.clock.Now()) {
			t.Errorf("%+v", m)
		}
	}
	t.Run("sqlite", func(t *testing.T) { story(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db")) })
	t.Run("postgres", func(t *testing.T) { story(t, pg.Start(t).Database(t)) })
}

func TestAMailIsTriedForThreeDays(t *testing.T) {
	r := newRig(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	must(t, r.Queue(t.Context(), "ann@example.org", "s", "text"))
	r.sink.Refuse("451 later")
	for range 2 {
		must(t, r.Round(t.Context())) // the second comes too early
	}
	if m := r.only(t); m.State != mail.Waiting || m.Attempts != 1 || !strings.Contains(m.Failure, "451") || m.Text == "" {
		t.Errorf("%+v", m)
	}
	r.sink.Refuse("")
	r.clock.Advance(time.Minute)
	must(t, r.Round(t.Context()))
	if m := r.only(t); m.State != mail.Sent || m.Attempts != 2 || m.Failure != "" {
		t.Errorf("%+v", m)
	}

	r = newRig(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	must(t, r.Queue(t.Context(), "ann@example.org", "s", "text"))
	r.sink.Refuse("550 nobody here")
	for range 100 {
		must(t, r.Round(t.Context()))
		r.clock.Advance(time.Hour)
	}
	if m := r.only(t); m.State != mail.Failed || m.Text != "" || m.Attempts < 10 || m.Attempts > 40 {
		t.Errorf("%+v", m)
	}
}

func TestWithoutAServerMailsStay(t *testing.T) {
	r := newRig(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	r.Outbox = mail.New(mail.Options{Store: r.db, Clock: r.clock, NewID: uuid.New})
	must(t, r.Queue(t.Context(), "ann@example.org", "s", "text"))
	must(t, r.Round(t.Context()))
	if m := r.only(t); m.State != mail.Waiting || m.Text != "text" || r.Sends() {
		t.Errorf("%+v", m)
	}
}

func TestAMailIsQueuedWithWhatItTellsOf(t *testing.T) {
	r := newRig(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	stop := errors.New("stop")
	err := r.db.InTx(t.Context(), func(ctx context.Context) error {
		must(t, r.Queue(ctx, "ann@example.org", "s", "text"))
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if all, err := r.List(t.Context(), uuid.Nil, 10); err != nil || len(all) != 0 {
		t.Errorf("%d mails, %v", len(all), err)
	}
	if err := r.Queue(t.Context(), "a@b.c", "s", strings.Repeat("x", mail.MaxText+1)); err == nil {
		t.Error("a text over the limit was taken")
	}
}

// Several processes may tell the same news: it is one mail.
func TestNewsIsQueuedOnce(t *testing.T) {
	r := newRig(t, "sqlite:"+filepath.Join(t.TempDir(), "hq.db"))
	id := uuid.Must(uuid.NewV7())
	for range 3 {
		must(t, r.QueueOnce(t.Context(), id, "it@example.org", "A certificate ends", "Renew it."))
	}
	if m := r.only(t); m.ID != id || m.Subject != "A certificate ends" {
		t.Errorf("%+v", m)
	}
}

func TestBadInput_MailServer(t *testing.T) {
	for _, address := range []string{"", "mail.example.org", "http://mail.example.org", "smtp://", "smtp://h:port", "smtp://user:secret@:25"} {
		_, err := mail.NewSMTP(address, "card@shop.example")
		if err == nil {
			t.Errorf("%q was taken", address)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the password: %v", err)
		}
	}
	for _, from := range []string{"", "nobody", "a@b.c\r\nBcc: x@y.z"} {
		if _, err := mail.NewSMTP("smtp://localhost", from); err == nil {
			t.Errorf("the sender %q was taken", from)
		}
	}
}
