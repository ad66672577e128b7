package expiry_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/expiry"
)

// outbox keeps mails by id, as the database does.
type outbox struct {
	ids  map[uuid.UUID]bool
	said []string
}

func (o *outbox) QueueOnce(_ context.Context, id uuid.UUID, to, subject, _ string) error {
	if !o.ids[id] {
		o.ids[id] = true
		o.said = append(o.said, to+" "+subject)
	}
	return nil
}

func TestEachRungIsToldOnceToEachAddress(t *testing.T) {
	end := time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)
	at := clock.NewFake(end.AddDate(0, 0, -90))
	mails := &outbox{ids: map[uuid.UUID]bool{}}
	var log bytes.Buffer
	open := func() *expiry.Watch { // a process that starts
		return expiry.New(expiry.Options{
			Certificates: []expiry.Certificate{{Name: "the pass certificate", EndsAt: end}, {Name: "the issuer", EndsAt: end.AddDate(4, 0, 0)}},
			To:           []string{"it@example.org", "boss@example.org"}, Mails: mails, Programme: "Club", Clock: at, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
	}
	watch := open()
	for day := range 100 {
		if day%10 == 0 {
			watch = open()
		}
		if err := watch.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		at.Advance(24 * time.Hour)
	}
	var days []string
	for _, said := range mails.said {
		if strings.HasPrefix(said, "it@example.org Club: the pass certificate ") {
			days = append(days, strings.TrimPrefix(said, "it@example.org Club: the pass certificate "))
		}
	}
	want := []string{"expires in 60 days, on 2027-01-31", "expires in 30 days, on 2027-01-31", "expires in 7 days, on 2027-01-31", "has expired on 2027-01-31"}
	if !slices.Equal(days, want) || len(mails.said) != 8 {
		t.Errorf("told %q", mails.said)
	}
	if due := watch.Due(); len(due) != 1 || due[0].Name != "the pass certificate" || len(watch.Certificates()) != 2 {
		t.Errorf("due is %v", due)
	}
	if !strings.Contains(log.String(), "the pass certificate expires in 60 days") {
		t.Errorf("the log says %s", log.String())
	}
}

// The mail is written in the language that was chosen, and says what to do.
func TestTheMailIsInTheLanguageThatWasChosen(t *testing.T) {
	now := time.Date(2027, 1, 1, 12, 0, 0, 0, time.UTC)
	for locale, want := range map[string][2]string{
		"":   {"Club: Apple Wallet: the pass certificate expires in 5 days, on 2027-01-06", "What to do: make a new certificate"},
		"tr": {"Club: Apple Wallet: kart sertifikası 5 gün sonra, 2027-01-06 tarihinde sona eriyor", "Yapılacak: Apple Developer"},
		"pl": {"Club: Apple Wallet: certyfikat kart wygasa za 5 dni, 2027-01-06", "Co zrobić: utwórz"},
	} {
		sent := &letters{}
		watch := expiry.New(expiry.Options{
			Certificates: []expiry.Certificate{{Name: "Apple Wallet: the pass certificate", EndsAt: now.AddDate(0, 0, 5)}, {Name: "something else", EndsAt: now}},
			To:           []string{"it@example.org"}, Mails: sent, Programme: "Club", Locale: locale, Clock: clock.NewFake(now),
		})
		if err := watch.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(sent.subjects) != 2 || sent.subjects[0] != want[0] || !strings.Contains(sent.texts[0], want[1]) {
			t.Errorf("%q: the mails are %q %q", locale, sent.subjects, sent.texts)
		}
		if !strings.Contains(sent.subjects[1], "something else") || strings.Contains(sent.subjects[1], "{{") {
			t.Errorf("%q: of another certificate it says %q", locale, sent.subjects[1])
		}
	}
}

// letters keeps what was written.
type letters struct{ subjects, texts []string }

func (l *letters) QueueOnce(_ context.Context, _ uuid.UUID, _, subject, text string) error {
	l.subjects, l.texts = append(l.subjects, subject), append(l.texts, text)
	return nil
}
