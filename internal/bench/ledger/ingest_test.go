//go:build linux

package ledger

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/benchtable"
	"github.com/tallystick/tallystick/sync/wire"
)

// Targets on two cores, client and server together, in entries a second.
var ingestTargets = map[string]benchtable.Target{
	sqlite: benchtable.ValueAtLeast(5_000), postgres: benchtable.ValueAtLeast(10_000),
}

// bulkLeast is how many rows a bulk insert has at least, the entries repeated: the
// rate of a few rows says nothing.
const bulkLeast = 2_000

// ingest measures entries a second from the first push until HQ has applied all,
// beside the bulk insert of the same bytes.
func ingest(t *testing.T, o options, kind string) []benchtable.Result {
	e := newEngine(t, o, kind)
	f := openOffice(t, o, e.database(t, "ingest"), "ingest_"+kind)
	bound := newLimit(t, e)
	type place struct {
		suffix string
		*field
	}
	var fields []place
	for _, l := range []struct {
		name, suffix string
		layout
	}{{"apart", "", apart}, {"hot", "_hot", hot}, {"late", "_late", late}} {
		if slices.Contains(o.layouts, l.name) {
			fields = append(fields, place{l.suffix, openField(t, f, l.layout)})
		}
	}
	if o.profile && e.server != nil {
		e.server.statements(t) // of the preparations
	}
	var out []benchtable.Result
	for _, size := range []struct{ batch, share int }{{wire.MaxBatchEntries, 1}, {50, 4}, {1, 40}} {
		if !slices.Contains(o.batches, strconv.Itoa(size.batch)) {
			continue
		}
		for _, at := range fields {
			name, target := "ingest_"+kind, benchtable.Target{}
			if size.batch < wire.MaxBatchEntries {
				name += fmt.Sprintf("_%d", size.batch)
			} else if at.suffix == "" {
				target = ingestTargets[kind]
			}
			r := &rates{t: t, engine: e, field: at.field, limit: bound}
			for range o.rounds {
				r.round(size.batch, max(1, o.entries/size.share/len(at.terminals)))
			}
			out = append(out, r.results(name+at.suffix, target)...)
			if o.profile && e.server != nil {
				e.server.statements(t)
			}
		}
	}
	for _, at := range fields {
		at.check(t)
	}
	return out
}

// rates gathers rounds of one way to push.
type rates struct {
	t      *testing.T
	engine engine
	field  *field
	limit  limit

	applied, bulk        []float64 // entries and rows a second
	hq, database, client []float64 // processor time, in µs an entry
	refusals             int
}

// round has every terminal push so many sales.
func (r *rates) round(batch, each int) {
	r.t.Helper()
	must(r.t, r.field.sell(each))
	entries := r.field.waiting()
	rows := entries
	for len(rows) < bulkLeast {
		rows = append(rows, entries...)
	}
	r.bulk = append(r.bulk, bulkRate(r.t, r.limit, rows))
	hq, database, client := r.times()
	began := time.Now()
	refusals, err := r.field.drain(r.t.Context(), batch)
	must(r.t, err)
	must(r.t, r.field.office.awaitApplied(r.t.Context(), seldom))
	took := time.Since(began)
	hq2, database2, client2 := r.times()
	n := float64(len(entries))
	r.applied = append(r.applied, n/took.Seconds())
	r.hq = append(r.hq, float64((hq2-hq).Microseconds())/n)
	r.database = append(r.database, float64((database2-database).Microseconds())/n)
	r.client = append(r.client, float64((client2-client).Microseconds())/n)
	r.refusals += refusals
}

func (r *rates) times() (hq, database, client time.Duration) {
	r.t.Helper()
	if r.engine.server != nil {
		database = familyTime(r.t, r.engine.server.cmd.Process.Pid)
	}
	return cpuTime(r.t, r.field.office.proc.PID()), database, cpuTime(r.t, os.Getpid())
}

func (r *rates) results(name string, target benchtable.Target) []benchtable.Result {
	r.t.Logf("%s: %.0f entries/s (rounds %.0f), sent away %d times", name, benchtable.Median(r.applied), r.applied, r.refusals)
	out := []benchtable.Result{
		benchtable.Against(name, "entries/s", benchtable.Median(r.applied), benchtable.Median(r.bulk), target),
		benchtable.Alone(name+"_cpu_hq", "µs/entry", benchtable.Median(r.hq), benchtable.Target{}),
		benchtable.Alone(name+"_cpu_client", "µs/entry", benchtable.Median(r.client), benchtable.Target{}),
	}
	if r.engine.server != nil {
		out = append(out, benchtable.Alone(name+"_cpu_database", "µs/entry", benchtable.Median(r.database), benchtable.Target{}))
	}
	return out
}
