package store

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/programme"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/webshop"
	"github.com/tallystick/tallystick/sync/entry"
)

// What a terminal has not delivered, as far as HQ knows, and when it was heard last. The
// head is only said, so what follows from it is bounded before it is summed.
const (
	queued = "CASE WHEN COALESCE(c.head_seq, 0) <= COALESCE(c.acked_seq, 0) THEN 0 WHEN c.head_seq - c.acked_seq > 1000000000 THEN 1000000000 ELSE c.head_seq - c.acked_seq END"
	heard  = "CASE WHEN COALESCE(c.at, 0) > t.last_contact_at THEN c.at ELSE t.last_contact_at END"
	// lanes are the terminals of people, with what was last heard of each.
	lanes = "terminals AS t LEFT JOIN terminal_contacts AS c ON c.terminal = t.id AND c.epoch = t.epoch"
	// open says of an exception that the ledger waits for somebody.
	open     = "(x.state = 'open' OR x.state = 'awaiting')"
	resolved = "COALESCE(k.resolution, '') <> ''"
	// unsettled is open and not resolved. That it was recorded leads to the index of those
	// that are open.
	unsettled = open + " AND x.recorded_at > 0 AND NOT " + resolved
)

// noLaneOfShop leaves the web shop's terminals out of terminals t.
var noLaneOfShop = "t.name <> '" + webshop.TerminalName + "' AND t.name NOT LIKE '" + webshop.TerminalName + " %'"

// sources are where the rows of the lists come from, by name; of rewards see rewardRows.
var sources = map[string]source{
	"stores": {
		from: func(q console.Query) (string, []any) {
			return "stores AS s LEFT JOIN (SELECT t.store AS store, COUNT(*) AS terminals, " +
				"CAST(SUM(CASE WHEN COALESCE(c.at, 0) >= ? AND t.state = 'enrolled' THEN 1 ELSE 0 END) AS BIGINT) AS online, " +
				"CAST(SUM(" + queued + ") AS BIGINT) AS waiting FROM " + lanes + " WHERE " + noLaneOfShop + " GROUP BY t.store) AS l ON l.store = s.id", []any{toMillis(q.OnlineSince)}
		},
		key: "s.id",
		columns: map[string]string{
			"id": "s.id", "code": "s.code", "name": "s.name", "time_zone": "s.time_zone", "currency": "s.currency", "created_at": "s.created_at",
			"terminals": "COALESCE(l.terminals, 0)", "online": "COALESCE(l.online, 0)", "waiting": "COALESCE(l.waiting, 0)",
		},
		narrow: func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			return q.Where("LOWER(s.code) LIKE ? ESCAPE '!' OR LOWER(s.name) LIKE ? ESCAPE '!'", starting(text), containing(text))
		},
	},
	"terminals": {
		from: func(q console.Query) (string, []any) {
			return "(SELECT t.*, " + heard + " AS heard, " + queued + " AS queued, COALESCE(c.clock_error, 0) AS clock_error, COALESCE(c.clock_at, 0) AS clock_at, " +
				"CASE WHEN COALESCE(c.at, 0) >= ? AND t.state = 'enrolled' THEN 1 ELSE 0 END AS online FROM " + lanes + ") AS t JOIN stores AS s ON s.id = t.store " +
				"LEFT JOIN lost_declarations AS d ON d.terminal = t.id AND d.epoch = t.epoch AND d.state = 1 AND d.expires_at > ?", []any{toMillis(q.OnlineSince), toMillis(q.Now)}
		},
		key: "t.id", always: noLaneOfShop,
		columns: map[string]string{
			"id": "t.id", "name": "t.name", "store": "t.store", "store_code": "s.code", "store_name": "s.name", "state": "t.state", "online": "t.online",
			"last_contact_at": "t.heard", "queue": "t.queued", "clock_error_ms": "t.clock_error", "clock_at": "t.clock_at", "software": "t.software",
			"epoch": "t.epoch", "enrolled_at": "t.enrolled_at", "created_at": "t.created_at",
			"lost_by": "COALESCE(d.declared_by, SUBSTR(t.id, 1, 0))", "lost_until": "COALESCE(d.expires_at, 0)",
		},
		narrow: by(map[string]string{"store": "t.store", "state": "t.state", "online": "t.online", "lost": "CASE WHEN d.state = 1 THEN 1 ELSE 0 END"}, "", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			return q.Where("LOWER(t.name) LIKE ? ESCAPE '!' OR LOWER(s.code) LIKE ? ESCAPE '!' OR LOWER(s.name) LIKE ? ESCAPE '!'", containing(text), starting(text), containing(text))
		}),
	},
	"members": {
		from: as("members AS m"), key: "m.id", orders: map[string]string{"alias": "m.folded_alias", "reference": "m.folded_reference"},
		columns: map[string]string{
			"id": "m.id", "alias": "m.alias", "reference": "m.reference", "account": "m.account", "issue": "m.issue", "blocked": "m.blocked", "created_at": "m.created_at",
		},
		narrow: by(map[string]string{"blocked": "m.blocked"}, "m.created_at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			if id, err := uuid.Parse(text); err == nil {
				return q.Where("m.id = ? OR m.account = ?", idBytes(id), idBytes(id))
			}
			return q.Where("m.folded_alias LIKE ? ESCAPE '!' OR m.folded_reference LIKE ? ESCAPE '!'", starting(text), starting(text))
		}),
	},
	"postings": {
		from: as("postings AS p LEFT JOIN stores AS s ON s.id = p.store LEFT JOIN sources AS o ON o.shard = p.shard AND o.account = p.account AND o.source = p.source"), key: "p.id",
		columns: map[string]string{
			"id": "p.id", "recorded_at": "p.recorded_at", "effective_at": "p.effective_at", "occurred_at": "p.occurred_at", "unit": "p.unit", "amount": "p.amount",
			"from_book": "p.from_book", "to_book": "p.to_book", "store": "p.store", "store_code": "COALESCE(s.code, '')", "rule_set": "p.rule_set", "source": "p.source", "corrects": "p.corrects",
			"source_writer": "COALESCE(o.writer, SUBSTR(p.id, 1, 0))", "source_epoch": "COALESCE(o.epoch, 0)", "source_seq": "COALESCE(o.seq, 0)",
		},
		word: map[string]func(console.Query, int64) string{"from_book": bookWord, "to_book": bookWord},
		narrow: by(map[string]string{"unit": "p.unit"}, "p.recorded_at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			account, _ := v.(uuid.UUID)
			return q.Where("p.shard = ? AND p.account = ?", shard.Of(account), idBytes(account))
		}),
	},
	"ties": {
		from: as("ties AS t JOIN stores AS s ON s.id = t.store"), key: "t.store",
		columns: map[string]string{"store": "t.store", "store_code": "s.code", "store_name": "s.name", "visited_at": "t.visited_at"},
		narrow: func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			return q.Where("t.member = ? AND t.shard IN (SELECT a.shard FROM account_members AS a WHERE a.member = ?)", value(v), value(v))
		},
	},
	"entries": {
		from: as("entries AS e JOIN branches AS b ON b.shard = e.shard AND b.terminal = e.terminal AND b.epoch = e.epoch AND b.branch = e.branch " +
			"LEFT JOIN terminals AS t ON t.id = e.terminal LEFT JOIN stores AS s ON s.id = e.store"), key: "e.hash", then: "e.seq",
		columns: map[string]string{
			"recorded_at": "e.recorded_at", "writer": "e.terminal", "writer_name": "COALESCE(t.name, '')", "store_code": "COALESCE(s.code, '')",
			"epoch": "e.epoch", "branch": "e.branch", "seq": "e.seq", "kind": "e.kind",
			"state":  "CASE WHEN e.state = 1 AND e.seq <= b.applied_seq THEN 'applied' WHEN e.state = 1 THEN 'accepted' WHEN e.state = 3 THEN 'parked' ELSE 'quarantined' END",
			"proven": "e.proven", "occurred_at": "e.occurred_at", "effective_at": "e.effective_at", "bytes": "LENGTH(e.raw)", "hash": "e.hash",
		},
		word:   map[string]func(console.Query, int64) string{"kind": kindWord},
		narrow: by(map[string]string{"store": "e.store"}, "e.recorded_at", narrowEntries),
	},
	"hq_entries": {
		from: as("hq_journal AS j"), key: "j.hash", then: "j.seq",
		columns: map[string]string{
			"recorded_at": "j.recorded_at", "writer": "j.shard", "shard": "j.shard", "epoch": "j.epoch", "seq": "j.seq", "kind": "j.kind", "bytes": "LENGTH(j.raw)", "hash": "j.hash",
		},
		word: map[string]func(console.Query, int64) string{"kind": kindWord, "writer": ownWriter},
		narrow: by(nil, "j.recorded_at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			word, _ := v.(string)
			return ofKind(q, "j.kind", word)
		}),
	},
	"exceptions": {
		from: as(worked + " LEFT JOIN stores AS s ON s.id = x.store LEFT JOIN terminals AS t ON t.id = x.terminal"), key: "x.id",
		columns: map[string]string{
			"id": "x.id", "recorded_at": "x.recorded_at", "cause": "x.kind", "state": "CASE WHEN " + open + " AND " + resolved + " THEN 'settled' ELSE x.state END",
			"resolution": "COALESCE(k.resolution, '')", "owner": "COALESCE(k.owner, SUBSTR(x.id, 1, 0))", "owner_name": "COALESCE(k.owner_name, '')",
			"store": "x.store", "store_code": "COALESCE(s.code, '')", "terminal": "x.terminal", "terminal_name": "COALESCE(t.name, '')", "epoch": "x.epoch", "seq": "x.seq",
			"member": "x.member", "account": "x.account", "unit": "x.unit", "amount": "x.amount", "currency": "x.currency", "money": "x.money",
			"liable": liableNow, "due_at": "CASE WHEN " + open + " THEN COALESCE(k.due_at, 0) ELSE 0 END", "proposed": "CASE WHEN " + proposed + " THEN 1 ELSE 0 END",
			"attribution": "x.attribution", "detail": "x.cause", "occurred_at": "x.occurred_at", "entry": "x.source",
		},
		narrow: by(map[string]string{"cause": "x.kind", "store": "x.store", "terminal": "x.terminal", "member": "x.member", "owner": "k.owner", "liable": liableNow}, "x.recorded_at", narrowExceptions),
	},
	"vouchers": {
		from: as("vouchers AS v LEFT JOIN members AS m ON m.shard = v.shard AND m.id = v.member"), key: "v.id",
		columns: map[string]string{
			"id": "v.id", "member": "v.member", "member_alias": "COALESCE(m.alias, '')", "reward": "v.reward", "uses": "v.uses",
			"valid_from": "v.valid_from", "valid_to": "v.valid_to", "created_at": "v.created_at",
		},
		narrow: by(map[string]string{"member": "v.member", "reward": "v.reward"}, "v.created_at", nil),
	},
	"people": {
		from: as("(SELECT p.*, COALESCE((SELECT MAX(a.at) FROM acts AS a WHERE a.person = p.id AND a.operation IN ('CreateSession', 'CreateConsoleSession')), 0) AS signed_in_at " +
			"FROM people AS p) AS p"), key: "p.id", orders: map[string]string{"name": "p.folded"},
		columns: map[string]string{
			"id": "p.id", "name": "p.name", "role": "p.role", "shut_out": "CASE WHEN p.password = '' THEN 1 ELSE 0 END", "signed_in_at": "p.signed_in_at", "created_at": "p.created_at",
		},
		narrow: by(map[string]string{"role": "p.role", "shut_out": "CASE WHEN p.password = '' THEN 1 ELSE 0 END"}, "", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			return q.Where("p.folded LIKE ? ESCAPE '!'", containing(text))
		}),
	},
	"acts": {
		from: as("acts AS a"), key: "a.id",
		columns: map[string]string{
			"at": "a.at", "name": "a.name", "role": "a.role", "operation": "a.operation", "subject": "a.subject", "detail": "a.detail", "address": "a.address", "person": "a.person", "id": "a.id",
		},
		narrow: by(map[string]string{"person": "a.person", "operation": "a.operation"}, "a.at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			return q.Where("LOWER(a.name) LIKE ? ESCAPE '!' OR LOWER(a.operation) LIKE ? ESCAPE '!' OR LOWER(a.subject) LIKE ? ESCAPE '!' OR LOWER(a.detail) LIKE ? ESCAPE '!'",
				starting(text), containing(text), containing(text), containing(text))
		}),
	},
}

func narrowEntries(q *bun.SelectQuery, filter string, v any) *bun.SelectQuery {
	word, _ := v.(string)
	switch filter {
	case "writer":
		writer, _ := v.(uuid.UUID)
		return q.Where("e.shard = ? AND e.terminal = ?", shard.Of(writer), idBytes(writer))
	case "kind":
		return ofKind(q, "e.kind", word)
	}
	switch word {
	case "applied":
		return q.Where("e.state = 1 AND e.seq <= b.applied_seq")
	case "accepted":
		return q.Where("e.state = 1 AND e.seq > b.applied_seq")
	case "parked":
		return q.Where("e.state = 3")
	}
	return q.Where("e.state = 4")
}

// ofKind narrows by the name of a kind of entries.
func ofKind(q *bun.SelectQuery, column, word string) *bun.SelectQuery {
	for k := entry.Kind(1); k < lastKind; k++ {
		if k.String() == word {
			return q.Where(column+" = ?", uint16(k))
		}
	}
	return q.Where(nothing)
}

// lastKind is above all kinds of entries that have a name.
const lastKind = 128

func narrowExceptions(q *bun.SelectQuery, filter string, v any) *bun.SelectQuery {
	switch filter {
	case "account":
		account, _ := v.(uuid.UUID)
		return q.Where("x.shard = ? AND x.account = ?", shard.Of(account), idBytes(account))
	case "owned":
		if v == true {
			return q.Where("COALESCE(k.owner_name, '') <> ''")
		}
		return q.Where("COALESCE(k.owner_name, '') = ''")
	}
	if filter == "proposed" {
		if v == true {
			return q.Where(proposed)
		}
		return q.Where("NOT " + proposed)
	}
	if filter == "due_before" {
		return q.Where(unsettled+" AND k.due_at > 0 AND k.due_at < ?", value(v))
	}
	switch v {
	case "unsettled":
		return q.Where(unsettled)
	case "settled":
		return q.Where(open + " AND " + resolved)
	case "open", "awaiting":
		return q.Where("x.state = ? AND NOT "+resolved, v)
	}
	return q.Where("x.state = ?", v)
}

const (
	rewardList = "rewards"
	// mostRewards is more than any catalogue has.
	mostRewards = 10_000
)

// rewardRows lists rewards. They are few, and kept as bytes, so they are read whole.
func (db *DB) rewardRows(ctx context.Context, q console.Query) ([]console.Found, error) {
	rewards, err := db.Rewards(ctx, uuid.Nil, mostRewards)
	if err != nil {
		return nil, err
	}
	text, _ := q.Filters["q"].(string)
	active, narrowed := q.Filters["active"].(bool)
	var out []console.Found
	for _, r := range rewards {
		if narrowed && r.Active != active || !strings.Contains(strings.ToLower(r.Name), strings.ToLower(text)) {
			continue
		}
		out = append(out, shownReward(q, r))
	}
	compare := func(a, b console.Place) int {
		c := cmp.Or(cmp.Compare(a.Number, b.Number), strings.Compare(a.Text, b.Text), bytes.Compare(a.Key, b.Key))
		if q.Order.Down {
			return -c
		}
		return c
	}
	slices.SortFunc(out, func(a, b console.Found) int { return compare(a.Place, b.Place) })
	if q.After != nil {
		out = slices.DeleteFunc(out, func(f console.Found) bool { return compare(f.Place, *q.After) <= 0 })
	}
	return out[:min(len(out), q.Limit)], nil
}

func shownReward(q console.Query, r programme.Reward) console.Found {
	moment := func(ms int64) any {
		if ms == 0 {
			return nil
		}
		return entry.Moment(ms)
	}
	cells := map[string]any{
		"id": uuid.UUID(r.ID).String(), "name": r.Name, "unit": r.Unit, "cost": r.Cost, "discount": r.Discount, "currency": r.Currency, "active": r.Active,
		"valid_from": moment(r.ValidFrom), "valid_to": moment(r.ValidTo), "version": int64(r.Version),
	}
	f := console.Found{Row: make(console.Row, len(q.List.Columns)), Place: console.Place{Key: idBytes(r.ID)}}
	for i, c := range q.List.Columns {
		f.Row[i] = cells[c.Name]
	}
	switch q.Order.Column {
	case "cost":
		f.Place.Number = r.Cost
	case "discount":
		f.Place.Number = r.Discount
	case "valid_to":
		f.Place.Number = r.ValidTo
	default:
		f.Place.Text = strings.ToLower(r.Name)
	}
	return f
}
