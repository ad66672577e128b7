package store

import (
	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/shard"
)

// isCurrent says of a pass that its phones have what it says now.
const isCurrent = "CASE WHEN p.state = 2 AND COALESCE(k.fetched_tag, 0) >= p.tag THEN 1 ELSE 0 END"

// passSources are where the lists about passes come from.
var passSources = map[string]source{
	"passes": {
		from: as("passes AS p LEFT JOIN pass_marks AS k ON k.shard = p.shard AND k.pass = p.id"),
		key:  "p.id",
		columns: map[string]string{
			"id": "p.id", "member": "p.member", "voucher": "p.voucher", "channel": "p.channel", "state": "p.state",
			"phones":    "(SELECT COUNT(*) FROM pass_registrations AS r WHERE r.shard = p.shard AND r.pass = p.id)",
			"issued_at": "p.issued_at", "installed_at": "COALESCE(k.installed_at, 0)", "changed_at": "p.modified_at * 1000", "pushed_at": "COALESCE(k.pushed_at, 0)",
			"listed_at": "COALESCE(k.listed_at, 0)", "fetched_at": "COALESCE(k.fetched_at, 0)", "current": isCurrent, "lag_ms": "COALESCE(k.lag, 0)",
		},
		word:   map[string]func(console.Query, int64) string{"channel": channelWord, "state": passStateWord},
		narrow: by(map[string]string{"current": isCurrent}, "p.issued_at", narrowPasses),
	},
	"pushes": {
		from: as("pass_pushes AS q"), key: "q.target", always: "q.due_at > 0",
		columns: map[string]string{
			"due_at": "q.due_at", "channel": "q.channel", "attempts": "q.attempts", "failure": "q.failure", "pushed_at": "q.pushed_at", "target": "q.target",
		},
		word: map[string]func(console.Query, int64) string{"channel": channelWord},
		narrow: by(map[string]string{"failing": "CASE WHEN q.attempts > 0 THEN 1 ELSE 0 END"}, "", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			return ofChannel(q, "q.channel", v)
		}),
	},
	"pass_log": {
		from: as("pass_log AS l"), key: "l.id", columns: map[string]string{"at": "l.at", "line": "l.line", "id": "l.id"},
		narrow: by(nil, "l.at", func(q *bun.SelectQuery, _ string, v any) *bun.SelectQuery {
			text, _ := v.(string)
			return q.Where("LOWER(l.line) LIKE ? ESCAPE '!'", containing(text))
		}),
	},
}

func narrowPasses(q *bun.SelectQuery, filter string, v any) *bun.SelectQuery {
	word, _ := v.(string)
	switch filter {
	case "member":
		member, _ := v.(uuid.UUID)
		return q.Where("p.shard = ? AND p.member = ?", shard.Of(member), idBytes(member))
	case "channel":
		return ofChannel(q, "p.channel", v)
	case "state":
		state, _ := pass.StateOf(word)
		return q.Where("p.state = ?", uint8(state))
	}
	// A stage is one of four words, which are columns too.
	return q.Where("COALESCE(k." + word + "_at, 0) > 0")
}

func ofChannel(q *bun.SelectQuery, column string, v any) *bun.SelectQuery {
	word, _ := v.(string)
	channel, _ := pass.ChannelOf(word)
	return q.Where(column+" = ?", uint8(channel))
}

func channelWord(_ console.Query, n int64) string { return pass.Channel(n).String() }

func passStateWord(_ console.Query, n int64) string { return pass.State(n).String() }
