package sim

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
)

// The questions put to the database after each event. Each returns rows only when
// something is wrong. They are written anew from the invariants, and share nothing with
// the statements of server/store.
var questions = []struct{ invariant, query string }{
	{"G7: the books of a unit do not sum to zero", `
		SELECT unit, SUM(n) FROM (
			SELECT unit, balance AS n FROM books
			UNION ALL SELECT unit, free + allowance + pending - overdraft FROM holdings)
		GROUP BY unit HAVING SUM(n) <> 0`},
	{"G7: the lots of a holding are not free + allowance, and pending", `
		SELECT h.unit, h.free + h.allowance FROM holdings AS h LEFT JOIN (
			SELECT shard, account, unit, SUM(CASE pending WHEN 0 THEN remaining ELSE 0 END) AS vested,
				SUM(CASE pending WHEN 0 THEN 0 ELSE remaining END) AS pending
			FROM lots GROUP BY shard, account, unit
		) AS l ON l.shard = h.shard AND l.account = h.account AND l.unit = h.unit
		WHERE h.free + h.allowance <> COALESCE(l.vested, 0) OR h.pending <> COALESCE(l.pending, 0)
			OR h.free < 0 OR h.allowance < 0 OR h.pending < 0 OR h.overdraft < 0`},
	{"G2: rights are not what is set aside for them", `
		SELECT h.unit, h.allowance FROM holdings AS h LEFT JOIN (
			SELECT shard, account, unit, SUM(MAX(amount - used, 0)) AS unspent FROM rights WHERE is_open = 1 GROUP BY shard, account, unit
		) AS r ON r.shard = h.shard AND r.account = h.account AND r.unit = h.unit
		WHERE h.allowance > COALESCE(r.unspent, 0) OR h.allowance < COALESCE(r.unspent, 0) AND h.free > 0`},
	{"G4: a fact counts twice", `
		SELECT HEX(source), COUNT(*) FROM sources WHERE account <> zeroblob(16) AND account <> x''
		GROUP BY source HAVING COUNT(*) > 1`},
	{"G4: a receipt is claimed twice", `
		SELECT HEX(subject), COUNT(*) FROM sources WHERE kind = ` + strconv.Itoa(int(entry.KindHQClaimed)) + ` GROUP BY subject HAVING COUNT(*) > 1`},
	{"G4: one entry of a sale is posted for two accounts", `
		SELECT HEX(source), COUNT(DISTINCT account) FROM postings WHERE from_book IN (16, 17) AND corrects = ''
		GROUP BY source HAVING COUNT(DISTINCT account) > 1`},
}

// doubled finds the numbers under which HQ has two entries.
const doubled = `SELECT terminal, seq FROM entries GROUP BY terminal, epoch, seq HAVING COUNT(*) > 1`

// prepare readies the questions for a database.
func (o *office) prepare(ctx context.Context) (err error) {
	o.asked = o.asked[:0]
	for _, q := range questions {
		ready, err := o.look.PrepareContext(ctx, q.query)
		if err != nil {
			return err
		}
		o.asked = append(o.asked, ready)
	}
	o.twice, err = o.look.PrepareContext(ctx, doubled)
	return err
}

// ask puts the questions, and those that need the world's own knowledge.
func (w *world) ask(ctx context.Context) {
	for i, q := range questions {
		var what string
		var n int64
		err := w.hq.asked[i].QueryRowContext(ctx).Scan(&what, &n)
		switch {
		case err == nil:
			w.fail("%s: %s, %d", q.invariant, what, n)
		case !errors.Is(err, sql.ErrNoRows):
			w.fail("%s: %v", q.invariant, err)
		}
	}
	w.askForks(ctx)
}

// askForks holds what HQ says of forks against what was done to the lanes (G6, I5).
func (w *world) askForks(ctx context.Context) {
	forged := map[uuid.UUID]bool{}
	for _, f := range w.epochs {
		forged[f.writer.ID] = forged[f.writer.ID] || f.forged
	}
	if len(w.hq.shut) > 0 {
		w.shutOnce(ctx, forged)
	}
	for writer, seq := range w.proven(ctx) {
		if !forged[writer] {
			w.fail("G6: HQ has two entries %d of a terminal that nobody copied", seq)
		}
	}
}

// shutOnce looks at terminals that HQ has shut out since it was last asked.
func (w *world) shutOnce(ctx context.Context, forged map[uuid.UUID]bool) {
	for _, id := range w.hq.shut {
		t, err := w.hq.any().fleet.Terminal(ctx, id)
		if err != nil {
			w.fail("read terminal: %v", err)
		}
		if t.State == fleet.StateQuarantined && !forged[t.ID] {
			w.fail("G6: terminal %s is in quarantine, and nobody copied or rolled back its disk", t.Name)
		}
	}
	w.hq.shut = nil
}

// proven are the terminals with two entries under one number at HQ.
func (w *world) proven(ctx context.Context) map[uuid.UUID]uint64 {
	out := map[uuid.UUID]uint64{}
	rows, err := w.hq.twice.QueryContext(ctx)
	if err != nil {
		w.fail("look for forks: %v", err)
		return out
	}
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var seq uint64
		if err := rows.Scan(&id, &seq); err != nil {
			w.fail("look for forks: %v", err)
			return out
		}
		out[uuid.UUID(id)] = seq
	}
	if err := rows.Err(); err != nil {
		w.fail("look for forks: %v", err)
	}
	return out
}

// figures are what HQ has of each unit of a group of accounts: what is in holdings, and
// what went from them to breakage or is on its way.
func (w *world) figures(ctx context.Context) map[figure]int64 {
	out := map[figure]int64{}
	add := func(query string) {
		rows, err := w.hq.look.QueryContext(ctx, query)
		if err != nil {
			w.fail("read figures: %v", err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var id []byte
			var unit string
			var n int64
			if err := rows.Scan(&id, &unit, &n); err != nil {
				w.fail("read figures: %v", err)
				return
			}
			out[figure{w.group(uuid.UUID(id)), unit}] += n
		}
		if err := rows.Err(); err != nil {
			w.fail("read figures: %v", err)
		}
	}
	add(`SELECT account, unit, free + allowance + pending - overdraft FROM holdings`)
	add(`SELECT account, unit, SUM(CASE WHEN to_book IN (18, 20, 21) THEN amount ELSE 0 END
		- CASE WHEN from_book IN (18, 20, 21) THEN amount ELSE 0 END) FROM postings GROUP BY account, unit`)
	return out
}

// figure names a unit of a group of accounts.
type figure struct {
	group uuid.UUID
	unit  string
}

// name says whose figure it is.
func (w *world) name(f figure) string {
	out := f.unit + " of"
	for _, m := range w.members {
		if w.group(m.record.Account) == f.group {
			out += " " + m.name
		}
	}
	return out
}
