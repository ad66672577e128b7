package e2e

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/rest"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// closesBadly is a store of which one terminal says of its days what none of ours would,
// with a key that is its own, and another never says anything. HQ names each, and neither
// believes them nor stands still.
func (s *scene) closesBadly(t *testing.T) {
	t.Helper()
	in := corner
	in.Code, in.Name = "askew", "Askew"
	store, err := s.Office.CreateStore(t.Context(), in)
	must(t, err)
	liar, err := s.AddLane(t.Context(), store, "liar", s.Dir+"/liar")
	must(t, err)
	_, err = s.AddLane(t.Context(), store, "silent", s.Dir+"/silent")
	must(t, err)
	s.settle(t)
	for _, lane := range s.Lanes[len(s.Lanes)-2:] {
		must(t, lane.Stop(t.Context()))
	}
	who := proverOf(t, liar)
	day := entry.DateOf(time.Now().AddDate(0, 0, -6))
	far := entry.DateOf(time.Now().AddDate(0, 0, 6))
	wrong := []entry.DayMoney{{Kind: entry.KindSale, Currency: stage.Currency, Count: 1, Total: 99_00}}
	who.say(t, s, entry.DayClose{Date: day, Money: wrong}, entry.DayClose{Date: day}, entry.DayClose{Date: far})

	overdue := s.raised(t, store.ID, "day_overdue")
	if !strings.Contains(overdue.Detail, "silent has not closed "+day.String()) {
		t.Errorf("who never closes: %+v", overdue)
	}
	s.suggested(t, overdue, "lane_silent")
	ahead := s.raised(t, store.ID, "day_close_ahead")
	if !strings.Contains(ahead.Detail, far.String()+" was closed before it had begun") || ahead.Terminal != who.Terminal {
		t.Errorf("who closes what has not come: %+v", ahead)
	}
	s.suggested(t, ahead, "clock_wrong")
	must(t, s.Office.Do(t.Context(), rest.Call{Method: http.MethodPost, Path: "/api/v1/terminals/" + overdue.Terminal.String() + "/revoke", Key: uuid.NewString()}))
	who.say(t, s, entry.DayClose{Date: day}) // once more, and HQ looks at the store at once
	differs := s.raised(t, store.ID, "day_close_differs")
	if !strings.Contains(differs.Detail, "the close of "+day.String()) || differs.Terminal != who.Terminal {
		t.Errorf("who closes with wrong sums: %+v", differs)
	}
	days, err := s.Office.BusinessDays(t.Context(), store.ID)
	must(t, err)
	if len(days) != 1 || days[0].BusinessDate != day.String() || days[0].State != "exceptions" || len(days[0].Blocking) == 0 {
		t.Errorf("the store's days: %+v", days)
	}
}

// raised waits for an exception of a store.
func (s *scene) raised(t *testing.T, store uuid.UUID, cause string) (found hqclient.Exception) {
	t.Helper()
	must(t, stage.UntilWithin(t.Context(), 2*time.Minute, "HQ says "+cause, func() (bool, error) {
		all, err := s.Office.Exceptions(t.Context())
		i := slices.IndexFunc(all, func(e hqclient.Exception) bool { return e.Store == store && e.Cause == cause })
		if i >= 0 {
			found = all[i]
		}
		return i >= 0, err
	}))
	return found
}

// suggested checks what HQ proposes to do about an exception.
func (s *scene) suggested(t *testing.T, e hqclient.Exception, reason string) {
	t.Helper()
	var work struct {
		Suggestion struct{ Reason, Text string }
	}
	must(t, s.Office.Do(t.Context(), rest.Call{Method: http.MethodGet, Path: "/api/v1/exceptions/" + e.ID + "/work", Out: &work}))
	if work.Suggestion.Reason != reason || work.Suggestion.Text == "" {
		t.Errorf("about %s HQ proposes %+v", e.Cause, work.Suggestion)
	}
}

// say writes closes behind what HQ has of a terminal's journal, and delivers them. Each
// covers what is behind the one before; figures are those that it is given.
func (p *prover) say(t *testing.T, s *scene, closes ...entry.DayClose) {
	t.Helper()
	w := journal.Writer{ID: p.Terminal, Epoch: p.Epoch}
	all, err := s.Office.Entries(t.Context(), p.Terminal)
	must(t, err)
	var prev journal.Head
	for _, e := range all {
		if e.Seq > prev.Seq {
			prev.Seq = e.Seq
			hash, err := hex.DecodeString(e.Hash)
			must(t, err)
			prev.Hash = journal.Hash(hash)
		}
	}
	head, first, now := prev, uint64(1), time.Now()
	var run [][]byte
	for i, c := range closes {
		c.First, c.Last, c.Reason = first, head.Seq, entry.DayCloseOver
		if c.Last >= c.First {
			c.Head = slices.Clone(head.Hash[:])
		}
		raw, err := entry.Encode(entry.Entry{HLC: clock.NewStamp(now, uint16(i)), OccurredAt: now.UnixMilli(), BusinessDate: c.Date, Kind: entry.KindDayClose}, c)
		must(t, err)
		head = journal.Head{Seq: head.Seq + 1, Hash: journal.HashEntry(w, head.Seq+1, head.Hash, raw)}
		run, first = append(run, raw), head.Seq+1
	}
	signer, err := keys.NewSigner(keys.Public{}, p.key.Seed())
	must(t, err)
	cp := journal.SignCheckpoint(signer, w, prev.Seq+1, head)
	body, err := wire.Marshal(wire.Batch{
		V: wire.Version, Terminal: w.ID, Epoch: w.Epoch, First: prev.Seq + 1, Prev: prev.Hash[:],
		Entries: run, Head: head.Hash[:], Signature: cp.Signature,
	})
	must(t, err)
	if p.post(t, s, wire.PathPush, wire.Compress(body)) == problem.ProofNonce {
		p.post(t, s, wire.PathPush, wire.Compress(body)) // that it was taken is seen by what HQ says of it
	}
}
