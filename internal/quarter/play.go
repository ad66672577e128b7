package quarter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// daysAfter is how many days follow the quarter: what waits is delivered, returns whose
// sale never comes become a matter for people, and all lots of the quarter's end are past.
const daysAfter = 9

// Play plays a quarter on the empty database at dsn and checks it, packs for an auditor too.
// The error is about playing; what was not as it is in truth is in the report. Progress goes
// to out.
func Play(ctx context.Context, size Size, dsn string, a Auditor, out io.Writer) (r *Report, err error) {
	began := time.Now()
	r = &Report{Size: size, Engine: strings.SplitN(dsn, ":", 2)[0], Wrong: []string{}}
	var w *world
	if err := timed(&r.Seconds.Open, func() (err error) { w, err = newWorld(ctx, size, dsn); return err }); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.hq.db.Close()) }()
	w.report = r
	w.plant()
	w.renegotiate()
	for w.today = range size.Days + daysAfter {
		if err := w.playDay(ctx); err != nil {
			return nil, err
		}
		w.progress(out, began)
	}
	if err := timed(&r.Seconds.Check, func() error { return w.check(ctx, a) }); err != nil {
		return nil, err
	}
	r.Seconds.All, r.PeakMB, r.Load = time.Since(began).Seconds(), peak(), process.Load()
	return r, nil
}

// check holds head office against the truth.
func (w *world) check(ctx context.Context, a Auditor) error {
	r := w.report
	r.Counts, r.Entries, r.Facts = w.counts, w.entries(), w.truth.Facts()
	for _, check := range []func(context.Context, *Report) error{w.checkCertificates, w.checkAccounts, w.checkExceptions, w.checkOwed, w.checkSettlement, w.checkKnown, w.checkBooks} {
		if err := check(ctx, r); err != nil {
			return fmt.Errorf("check the quarter: %w", err)
		}
	}
	if a.Verify == "" {
		return nil
	}
	return w.checkPack(ctx, a, r)
}

func (w *world) entries() (n int) {
	for _, s := range w.shops {
		for _, j := range s.journals {
			n += len(j.Entries)
		}
	}
	return n
}

// progress says how far the quarter is.
func (w *world) progress(out io.Writer, began time.Time) {
	n, s := w.entries(), w.report.Seconds
	fmt.Fprintf(out, "day %d of %d: %d entries, %.0f a second; %.0f s (trade %.0f, deliver %.0f, apply %.0f, certify %.0f), peak %.0f MB; %d wrong\n",
		w.today+1, w.size.Days+daysAfter, n, float64(n)/max(s.Deliver+s.Apply, 0.001), time.Since(began).Seconds(),
		s.Trade, s.Deliver, s.Apply, s.Certify, peak(), len(w.report.Wrong))
	for _, x := range w.report.Wrong[w.told:] {
		fmt.Fprintf(out, "WRONG: %s\n", x)
	}
	w.told = len(w.report.Wrong)
}

// peak is the most memory that this process has had, in MB.
func peak() float64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return float64(use.Maxrss) * 1024 / 1e6
}
