package quarter

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/quarter/truth"
	"github.com/tallystick/tallystick/server/ledger"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/storeday"
	"github.com/tallystick/tallystick/sync/entry"
)

// published are head office's keys as anybody has them.
func (w *world) published() (map[string]ed25519.PublicKey, error) {
	raw, err := w.hq.keys.JWKS(keys.UseStatement)
	if err != nil {
		return nil, err
	}
	return keys.ParseJWKS(raw)
}

// checkCertificates holds every certificate of every store against what its lanes wrote.
func (w *world) checkCertificates(ctx context.Context, r *Report) error {
	known, err := w.published()
	if err != nil {
		return err
	}
	for _, s := range w.shops {
		var links []storeday.Link
		for from := entry.Date(0); ; {
			page, err := w.hq.db.CertifiedDays(ctx, s.id, from, 200)
			if err != nil {
				return fmt.Errorf("list certificates: %w", err)
			}
			for _, c := range page {
				cert, err := storeday.Verify(c.Text, known)
				if err != nil {
					r.wrong("certificate of %s for %s: %v", s.code, c.Date, err)
				}
				links, from = append(links, storeday.Link{Certificate: cert, Text: c.Text}), c.Date.Next()
			}
			if len(page) < 200 {
				break
			}
		}
		if err := storeday.CheckChain(links); err != nil {
			r.wrong("certificates of %s: %v", s.code, err)
		}
		s.checkDays(w.size, links, r)
	}
	r.equal("%d certificates: what each covers, heads, figures by date, late ones apart; chains of %d stores without a gap", r.Certificates, len(w.shops))
	return nil
}

// checkDays holds the certificates of a store against the truth: one for each day, none
// before all lanes had closed it.
func (s *shop) checkDays(size Size, links []storeday.Link, r *Report) {
	if len(links) < size.Days {
		r.wrong("store %s has %d certificates for %d days", s.code, len(links), size.Days)
	}
	covered := map[*truth.Journal]uint64{}
	for n, c := range links {
		want := entry.DateOf(size.day(n))
		where := fmt.Sprintf("certificate of %s for %s", s.code, c.Date)
		if c.Date != want.String() {
			r.wrong("%s: it should be for %s", where, want)
			return
		}
		if c.CutAt < size.day(n).Add(12*time.Hour).UnixMilli() {
			r.wrong("%s: it was cut at %s", where, entry.Moment(c.CutAt))
		}
		s.checkDay(uint32(want), c.Certificate, covered, where, r)
		r.Certificates++
	}
}

// journalKey tells journals apart.
type journalKey struct {
	terminal uuid.UUID
	epoch    uint32
}

// checkDay holds one certificate against what the store's journals say: covered is through
// where each was certified before.
func (s *shop) checkDay(date uint32, c storeday.Certificate, covered map[*truth.Journal]uint64, where string, r *Report) {
	listed := map[journalKey]storeday.Journal{}
	for _, j := range c.Journals {
		listed[journalKey{j.Terminal, j.Epoch}] = j
	}
	figures := map[uint32]truth.Figures{date: {}}
	for _, j := range s.journals {
		last, waits := j.Through(date, covered[j], c.CutAt)
		key := journalKey{uuid.UUID(j.Lane), j.Epoch}
		got, there := listed[key]
		delete(listed, key)
		if len(j.Entries) == 0 || j.Entries[0].Known == 0 || !there && j.Entries[0].Known > c.CutAt {
			continue // it began after
		}
		switch {
		case waits:
			r.wrong("%s: it did not wait for %s of terminal %s", where, j.Name, uuid.UUID(j.Lane))
		case there:
			checkSpan(j, got, truth.Span{First: covered[j] + 1, Last: last}, c.CutAt, where, r)
		case last > covered[j]:
			r.wrong("%s: %s is not in it", where, j.Name)
		}
		j.Add(truth.Span{First: covered[j] + 1, Last: last}, date, figures)
		covered[j] = last
	}
	for range listed {
		r.wrong("%s: it covers a journal that nobody wrote", where)
	}
	r.LateFigures += len(c.Late)
	checkFigures(append([]storeday.Figures{c.Day}, c.Late...), figures, where, r)
}

// checkSpan holds what a certificate says of one journal against the truth.
func checkSpan(j *truth.Journal, got storeday.Journal, want truth.Span, cut int64, where string, r *Report) {
	switch head := j.Heads[want.Last]; {
	case got.First != want.First || got.Last != want.Last:
		r.wrong("%s: of %s it covers entries %d to %d, not %d to %d", where, j.Name, got.First, got.Last, want.First, want.Last)
	case head != "" && want.Last >= want.First && got.Head != head:
		r.wrong("%s: the head of %s is another", where, j.Name)
	case j.Over == "lost" && j.Since < cut && (got.Gap == nil || got.Over != storeday.OverLost):
		r.wrong("%s: it does not name the gap of %s", where, j.Name)
	}
}

// checkFigures holds the figures of a certificate, by date, against the truth.
func checkFigures(all []storeday.Figures, want map[uint32]truth.Figures, where string, r *Report) {
	said := map[uint32]truth.Figures{}
	for _, f := range all {
		said[dateNumber(f.Date)] = asTruth(f)
	}
	for date, f := range want {
		for _, d := range f.Differs(said[date]) {
			r.wrong("%s: figures of %d: %s", where, date, d)
		}
		delete(said, date)
	}
	for date := range said {
		r.wrong("%s: it has figures of %d, when nothing was done", where, date)
	}
}

func dateNumber(text string) (n uint32) {
	for _, c := range text {
		if c != '-' {
			n = n*10 + uint32(c-'0')
		}
	}
	return n
}

// asTruth writes figures of a certificate as package truth names them.
func asTruth(f storeday.Figures) truth.Figures {
	out := truth.Figures{"entries": int64(f.Entries)}
	for _, k := range f.Kinds {
		out["kind/"+k.Kind] = int64(k.Count)
	}
	for _, m := range f.Money {
		name := "money/" + m.Kind + "/" + m.Currency
		out[name+"/count"], out[name+"/total"], out[name+"/discount"] = int64(m.Count), m.Total, m.Discount
	}
	for _, a := range f.Amounts {
		name := "amount/" + a.Kind + "/" + a.Flow + "/" + a.Unit + "/" + a.Basis
		out[name+"/count"], out[name+"/amount"] = int64(a.Count), a.Amount
	}
	return out
}

// lotKey tells lots of an account apart.
type lotKey struct {
	account       uuid.UUID
	earned, until int64
}

// checkAccounts holds every account's points and lots against the truth, as of the moment
// up to which head office has let time pass.
func (w *world) checkAccounts(ctx context.Context, r *Report) error {
	free, debt, lots := map[uuid.UUID]int64{}, map[uuid.UUID]int64{}, map[lotKey]int64{}
	for n := range shard.Count {
		rows, err := w.hq.db.AuditHoldings(ctx, n)
		if err != nil {
			return fmt.Errorf("read holdings: %w", err)
		}
		for _, h := range rows {
			if h.Unit == points {
				free[h.Account], debt[h.Account] = h.Free+h.Allowance, h.Overdraft
				if h.Allowance != 0 {
					r.wrong("account %s has %d points set aside when every right is used up or given back", h.Account, h.Allowance)
				}
			}
		}
		const most = 2000
		for offset := 0; ; offset += most {
			page, err := w.hq.db.AuditLots(ctx, n, offset, most)
			if err != nil {
				return fmt.Errorf("read lots: %w", err)
			}
			for _, l := range page {
				if l.Unit == points && l.Left > 0 {
					lots[lotKey{l.Account, l.EarnedAt, l.ExpiresAt}] += l.Left
				}
			}
			if len(page) < most {
				break
			}
		}
	}
	before := len(r.Wrong)
	for _, id := range w.truth.Accounts() {
		s := w.truth.Fold(id, w.sweptTo, truth.Ever-1)
		account := uuid.UUID(id)
		if free[account] != s.Free() || debt[account] != s.Debt {
			r.wrong("account %s has %d points and owes %d, not %d and %d", account, free[account], debt[account], s.Free(), s.Debt)
		}
		delete(free, account)
		for _, l := range s.Lots {
			key := lotKey{account, l.EarnedAt, l.Expires}
			if lots[key] != l.Left {
				r.wrong("account %s has %d points left of a lot of %d, not %d", account, lots[key], l.Amount, l.Left)
			}
			delete(lots, key)
			r.Lots++
		}
		r.Accounts++
	}
	for account, n := range free {
		if n != 0 {
			r.wrong("account %s has %d points of nobody", account, n)
		}
	}
	for key, n := range lots {
		r.wrong("account %s has a lot with %d points that nobody earned", key.account, n)
	}
	if before == len(r.Wrong) {
		r.equal("%d accounts with %d lots: points, debts, what is left of each lot", r.Accounts, r.Lots)
	}
	return nil
}

// plantedOf counts what was planted of each story, in the order of planting.
type plantedOf struct {
	report *Report
	at     map[string]int
}

func (p plantedOf) of(story, kind string) *Planted {
	i, known := p.at[story+kind]
	if !known {
		i = len(p.report.Planted)
		p.at[story+kind] = i
		p.report.Planted = append(p.report.Planted, Planted{Story: story, Kind: kind})
	}
	return &p.report.Planted[i]
}

// checkExceptions holds what head office found against what was planted.
func (w *world) checkExceptions(ctx context.Context, r *Report) error {
	all, err := w.hq.exceptions(ctx, ledger.ExceptionFilter{})
	if err != nil {
		return err
	}
	planted := plantedOf{r, map[string]int{}}
	for _, x := range w.want {
		planted.of(x.story, string(x.kind)).Planted++
	}
	for _, x := range w.refused {
		p := planted.of(x.story, string(x.want))
		if p.Planted++; x.got == x.want {
			p.Found++
		} else {
			r.wrong("%s: it was answered with %q, not %q", x.story, x.got, x.want)
		}
	}
	w.find(all, planted)
	r.Bounds = w.bounds
	for _, b := range w.bounds {
		if b.Real > b.Bound {
			r.wrong("%d points were lost offline where head office showed at most %d", b.Real, b.Bound)
		}
	}
	return nil
}

// find pairs exceptions with what was planted. What has no pair was invented, or missed.
func (w *world) find(all []ledger.Exception, planted plantedOf) {
	r, left := planted.report, slices.Clone(w.want)
	for _, e := range all {
		if e.State == ledger.ExceptionWithdrawn {
			r.Withdrawn++
			continue
		}
		if e.Kind == ledger.DayOverdue && strings.Contains(e.Cause, entry.DateOf(w.size.day(w.size.Days)).String()) {
			continue // the first date after the last one played, which no lane closes
		}
		i := slices.IndexFunc(left, func(x expected) bool { return x.matches(e) })
		if i < 0 {
			r.wrong("invented: %s at entry %d of journal %d of terminal %s, %d: %s", e.Kind, e.Seq, e.Epoch, e.Terminal, e.Amount, e.Cause)
			continue
		}
		if planted.of(left[i].story, string(e.Kind)).Found++; e.State != left[i].state {
			r.wrong("%s: the exception is %s, not %s", left[i].story, e.State, left[i].state)
		}
		left = slices.Delete(left, i, i+1)
	}
	for _, x := range left {
		r.wrong("missed: %s, %s at entry %d of journal %d of terminal %s", x.story, x.kind, x.seq, x.epoch, x.terminal)
	}
}

// checkBooks has head office verify itself: chains, signatures, folding, books that sum to zero.
func (w *world) checkBooks(ctx context.Context, r *Report) error {
	report, err := w.hq.ledger.Verify(ctx, w.hq.keys)
	if err != nil {
		return errors.Join(errors.New("verify head office"), err)
	}
	for _, f := range report.Failures {
		r.wrong("hq verify: %s: %s", f.Where, f.What)
	}
	if report.OK() {
		for _, c := range report.Checked {
			r.equal("hq verify: %d %s", c.Count, c.What)
		}
	}
	return nil
}
