package e2e

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/daybook"
	"github.com/tallystick/tallystick/sync/entry"
)

// A cashier sells, voids, takes goods back and closes; the agent starts again; what is sold
// then belongs to the next day. HQ has each close, and its own entries add up to the same.
func TestADayIsClosedAndHQHasTheSameFigures(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	today, tomorrow := turns(t)
	s.dayEnds(t, lane, today)
	anna := s.shopper(t, "Anna", 1000)
	must(t, lane.AwaitMember(t.Context(), anna.Code, stage.Points, 1000))
	first := sell(t, lane, "r1", edgeclient.QuoteRequest{Code: anna.Code, Total: 40_00})
	second := sell(t, lane, "r2", edgeclient.QuoteRequest{Code: anna.Code, Total: 15_00})
	sell(t, lane, "r3", edgeclient.QuoteRequest{Total: 7_00})
	_, err := lane.Void(t.Context(), "v1", second.ID)
	must(t, err)
	_, err = lane.Return(t.Context(), "b1", edgeclient.ReturnRequest{Sale: first.ID, Refund: &edgeclient.Money{Currency: stage.Currency, Minor: 5_00}})
	must(t, err)
	before, err := lane.Day(t.Context())
	must(t, err)
	closed, err := lane.CloseDay(t.Context(), "close")
	must(t, err)
	if closed.BusinessDate != before.BusinessDate || closed.Reason != "by_hand" || closed.Figures.FirstSeq != 1 || closed.Seq != closed.Figures.LastSeq+1 {
		t.Errorf("closed %+v, open was %+v", closed, before)
	}
	want := []edgeclient.DayMoney{{Kind: "sale", Count: 3, Total: 62_00, Net: 62_00}, {Kind: "void", Count: 1, Total: 15_00, Net: 15_00}, {Kind: "return", Count: 1, Total: 5_00, Net: 5_00}}
	if !reflect.DeepEqual(closed.Figures.Money, want) {
		t.Errorf("closed with %+v, want %+v", closed.Figures.Money, want)
	}
	must(t, lane.Kill())
	must(t, lane.Start(t.Context()))
	again, err := lane.CloseDay(t.Context(), "close")
	must(t, err)
	if !reflect.DeepEqual(again, closed) {
		t.Errorf("after the crash %+v, before %+v", again, closed)
	}
	_, err = lane.CloseDay(t.Context(), "another")
	wantCode(t, "closing tomorrow", err, problem.DayNotBegun)
	late := sell(t, lane, "r4", edgeclient.QuoteRequest{Total: 3_00})
	if late.BusinessDate <= closed.BusinessDate {
		t.Errorf("sold on %s after the close of %s", late.BusinessDate, closed.BusinessDate)
	}
	states := map[string]int{}
	sales, err := lane.SalesOf(t.Context(), closed.BusinessDate)
	must(t, err)
	for _, sale := range sales {
		states[sale.State]++
	}
	if !reflect.DeepEqual(states, map[string]int{"committed": 1, "voided": 1, "returned_in_part": 1}) {
		t.Errorf("sales of the day: %v", states)
	}
	s.dayEnds(t, lane, tomorrow)
	next, err := lane.CloseDay(t.Context(), "next")
	must(t, err)
	if next.BusinessDate != late.BusinessDate || next.Figures.FirstSeq != closed.Seq+1 || next.Figures.Money[0].Total != 3_00 {
		t.Errorf("the next day: %+v", next)
	}
	days, err := lane.Days(t.Context())
	must(t, err)
	if !reflect.DeepEqual(days, []edgeclient.DayClose{next, closed}) {
		t.Errorf("closed days: %+v", days)
	}
	s.settle(t)
	s.sameFigures(t, next, closed)
	s.certified(t, closed.BusinessDate, next.BusinessDate)
	s.packed(t, 2)
	s.closesBadly(t)
	if out, err := s.HQ.Verify(t.Context()); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// dayEnds has head office say when the store's day ends, and waits until the lane knows.
func (s *scene) dayEnds(t *testing.T, lane *stage.Lane, at string) {
	t.Helper()
	must(t, s.Office.PutTillRules(t.Context(), s.store.ID, hqclient.TillRules{DayEndsAt: at}))
	zone, err := time.LoadLocation(corner.TimeZone)
	must(t, err)
	minutes, err := loyalty.ReadDayEnds(at)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane knows when the day ends", func() (bool, error) {
		day, err := lane.Day(t.Context())
		local := day.EndsAt.In(zone)
		return int64(local.Hour()*60+local.Minute()) == (minutes+24*60)%(24*60), err
	}))
}

// turns are two settings of when the date turns: by the second, it is a day later.
func turns(t *testing.T) (today, tomorrow string) {
	t.Helper()
	zone, err := time.LoadLocation(corner.TimeZone)
	must(t, err)
	if time.Now().In(zone).Hour() < 12 {
		return "12:00", "00:00"
	}
	return "00:00", "-12:00"
}

// certified waits until HQ has certified days, and checks the certificates as an outsider
// does. One character changed in one of them is found.
func (s *scene) certified(t *testing.T, dates ...string) {
	t.Helper()
	var texts []string
	for _, date := range dates {
		texts = append(texts, s.certificate(t, date))
	}
	days, err := s.Office.BusinessDays(t.Context(), s.store.ID)
	must(t, err)
	if len(days) < len(dates) || days[0].State != "certified" || days[0].Number != 1 || days[1].Number != 2 {
		t.Errorf("days: %+v", days)
	}
	file := filepath.Join(t.TempDir(), "days.jwt")
	must(t, os.WriteFile(file, []byte(strings.Join(texts, "\n")), 0o600))
	out, err := s.HQ.VerifyCertificates(t.Context(), file)
	if err != nil || strings.Count(out, "good  ") != len(dates) {
		t.Errorf("verify-certificate: %v\n%s", err, out)
	}
	last := texts[len(texts)-1]
	at := len(last) / 2
	changed := last[:at] + string(last[at]^1) + last[at+1:]
	must(t, os.WriteFile(file, []byte(changed), 0o600))
	if out, err := s.HQ.VerifyCertificates(t.Context(), file); err == nil {
		t.Errorf("a changed certificate is good:\n%s", out)
	}
}

// packed has HQ write an auditor's pack, and holds it against what was sold.
func (s *scene) packed(t *testing.T, certificates int) {
	t.Helper()
	answer, err := http.Get(s.HQ.URL() + "/.well-known/jwks.json")
	must(t, err)
	keys, err := io.ReadAll(answer.Body)
	must(t, errors.Join(err, answer.Body.Close()))
	file := filepath.Join(t.TempDir(), "keys.json")
	must(t, os.WriteFile(file, keys, 0o600))
	out, err := s.HQ.AuditPack(t.Context(), filepath.Join(t.TempDir(), "pack"), file)
	if err != nil || !strings.Contains(out, fmt.Sprintf("%d certificates", certificates)) {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// certificate waits for the certificate of a day.
func (s *scene) certificate(t *testing.T, date string) (text string) {
	t.Helper()
	must(t, stage.Until(t.Context(), date+" is certified", func() (bool, error) {
		var err error
		text, err = s.Office.DayCertificate(t.Context(), s.store.ID, date)
		if problem.CodeOf(err) == problem.NotFound {
			return false, nil
		}
		return err == nil, err
	}))
	return text
}

// sameFigures holds the closes that HQ lists against the lane's, newest first.
func (s *scene) sameFigures(t *testing.T, closes ...edgeclient.DayClose) {
	t.Helper()
	listed, err := s.Office.DayCloses(t.Context(), s.store.ID)
	must(t, err)
	if len(listed) != len(closes) {
		t.Fatalf("HQ has the closes %+v, the lane %+v", listed, closes)
	}
	for i, closed := range closes {
		s.sameClose(t, listed[i], closed)
	}
}

// sameClose holds a close of HQ against the lane's, and against what HQ's own entries add
// up to.
func (s *scene) sameClose(t *testing.T, got hqclient.DayClose, closed edgeclient.DayClose) {
	t.Helper()
	var figures daybook.Figures
	sales := map[uuid.UUID]entry.Sale{}
	for seq := got.FirstSeq; seq <= got.LastSeq; seq++ {
		e := s.entryAt(t, got, seq)
		figures.Count(e.Kind)
		switch e.Kind {
		case entry.KindSale:
			sale, err := entry.DecodeBody[entry.Sale](e)
			must(t, err)
			sales[sale.ID] = sale
			figures.Sale(sale)
		case entry.KindVoid:
			void, err := entry.DecodeBody[entry.Void](e)
			must(t, err)
			figures.Void(void, sales[void.Sale])
		case entry.KindReturn:
			back, err := entry.DecodeBody[entry.Return](e)
			must(t, err)
			figures.Return(back)
		}
	}
	said, err := entry.DecodeBody[entry.DayClose](s.entryAt(t, got, got.Seq))
	must(t, err)
	sum := said
	figures.Fill(&sum)
	if !reflect.DeepEqual(sum, said) || hex.EncodeToString(said.Head) != got.Head {
		t.Errorf("HQ's entries add up to %+v, the terminal said %+v", sum, said)
	}
	money := slices.Collect(func(yield func(edgeclient.DayMoney) bool) {
		for _, m := range got.Money {
			if !yield(edgeclient.DayMoney{Kind: m.Kind, Count: m.Count, Total: m.Total, Discount: m.Discount, Net: m.Total - m.Discount}) {
				return
			}
		}
	})
	if got.Seq != closed.Seq || got.Hash[:8] != closed.Hash || got.BusinessDate != closed.BusinessDate || !reflect.DeepEqual(money, closed.Figures.Money) {
		t.Errorf("HQ shows %+v, the lane said %+v", got, closed)
	}
}

func (s *scene) entryAt(t *testing.T, c hqclient.DayClose, seq uint64) entry.Entry {
	t.Helper()
	raw, err := s.Office.EntryBytes(t.Context(), c.Terminal, c.Epoch, seq)
	must(t, err)
	e, err := entry.Decode(raw)
	must(t, err)
	return e
}
