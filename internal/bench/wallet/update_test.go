//go:build linux

package wallet

import (
	"fmt"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/internal/testkit/phones"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// updateAll gives every member points and waits until the last phone shows them: booked,
// noticed, pushed, listed, fetched, verified. Its limit is the time in which all
// processors make as many bare signatures, of which each phone needs one.
func updateAll(t *testing.T) []benchtable.Result {
	n, err := benchtable.Setting("TALLYSTICK_BENCH_PHONES", 100_000)
	must(t, err)
	company := openCompany(t)
	fleet := company.Fleet(t.Context())
	defer fleet.Close()
	began := time.Now()
	var serials []string
	must(t, company.Issue(t.Context(), n, func(raw []byte) error {
		_, err := fleet.Install(t.Context(), raw)
		return err
	}))
	for _, p := range fleet.Phones() {
		for serial := range p.Shows() {
			serials = append(serials, serial)
		}
	}
	settle(t, fleet, company) // what was told of the registrations
	t.Logf("%d phones installed in %.0f s, load %.1f", n, time.Since(began).Seconds(), process.Load())

	pid, before := company.HQ.PID(), fleet.Figures()
	rateBefore, eachBefore := bareSignatures(t, company)
	must(t, process.ForgetPeak(pid))
	used, err := process.CPU(pid)
	must(t, err)
	began = time.Now()
	must(t, company.Change(t.Context(), serials))
	promised := time.Since(began)
	settle(t, fleet, company)
	took := time.Since(began)
	after, err := process.CPU(pid)
	must(t, err)
	peak, err := process.PeakMemory(pid)
	must(t, err)
	rateAfter, eachAfter := bareSignatures(t, company)

	figures := fleet.Figures()
	if got := figures.Fetches - before.Fetches; got != n {
		t.Errorf("%d passes were fetched for %d phones", got, n)
	}
	for _, v := range fleet.Violations() {
		t.Error(v)
	}
	t.Logf("%d phones: booked after %.1f s, all shown after %.1f s; %d pushes, %d lists, %.0f MB fetched, load %.1f",
		n, promised.Seconds(), took.Seconds(), figures.Pushes-before.Pushes, figures.Lists-before.Lists, float64(figures.Bytes-before.Bytes)/1e6, process.Load())
	name := "update_" + short(n)
	each := benchtable.Median([]float64{float64(eachBefore.Microseconds()), float64(eachAfter.Microseconds())})
	return []benchtable.Result{
		benchtable.Against(name, "s", took.Seconds(), float64(n)/benchtable.Median([]float64{rateBefore, rateAfter}), benchtable.Target{}),
		benchtable.Against(name+"_cpu_hq", "µs/phone", float64((after-used).Microseconds())/float64(n), each, benchtable.Target{}),
		benchtable.Alone(name+"_peak_rss", "MB", float64(peak)/1e6, benchtable.Target{}),
	}
}

func settle(t *testing.T, fleet *phones.Fleet, company *phones.Company) {
	t.Helper()
	must(t, fleet.Settle(t.Context(), 2*time.Minute, company.Want))
	for _, v := range fleet.Violations() {
		t.Error(v)
	}
	if t.Failed() {
		t.FailNow()
	}
}

// short writes 100000 as 100k.
func short(n int) string {
	if n%1000 == 0 {
		return fmt.Sprintf("%dk", n/1000)
	}
	return fmt.Sprint(n)
}
