package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/casework"
)

type settingRow struct {
	Kind          string `bun:"kind"`
	Number        int64  `bun:"number"`
	Version       int64  `bun:"version"`
	State         string `bun:"state"`
	Body          []byte `bun:"body"`
	MadeBy        []byte `bun:"made_by"`
	MadeByName    string `bun:"made_by_name"`
	MadeAt        int64  `bun:"made_at"`
	DecidedBy     []byte `bun:"decided_by"`
	DecidedByName string `bun:"decided_by_name"`
	DecidedAt     int64  `bun:"decided_at"`
	DecidedText   string `bun:"decided_text"`
}

const settingColumns = "kind, number, version, state, body, made_by, made_by_name, made_at, decided_by, decided_by_name, decided_at, decided_text"

func (r settingRow) setting() casework.Setting {
	return casework.Setting{
		Kind: r.Kind, Number: uint64(r.Number), Version: uint64(r.Version), State: casework.SettingState(r.State), Body: r.Body,
		MadeBy: toID(r.MadeBy), MadeByName: r.MadeByName, MadeAt: fromMillis(r.MadeAt),
		DecidedBy: toID(r.DecidedBy), DecidedByName: r.DecidedByName, DecidedAt: fromMillis(r.DecidedAt), DecidedText: r.DecidedText,
	}
}

// AddSetting implements casework.Store.
func (db *DB) AddSetting(ctx context.Context, s casework.Setting) error {
	_, err := db.exec(ctx, "INSERT INTO case_settings ("+settingColumns+") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		s.Kind, int64(s.Number), int64(s.Version), string(s.State), blob(s.Body), s.MadeBy[:], s.MadeByName, toMillis(s.MadeAt),
		unlessNil(s.DecidedBy), s.DecidedByName, toMillis(s.DecidedAt), s.DecidedText)
	return taken(err, problem.Conflict, "another version was proposed meanwhile")
}

// SetSetting implements casework.Store.
func (db *DB) SetSetting(ctx context.Context, s casework.Setting, from casework.SettingState) error {
	return db.changed(ctx, "UPDATE case_settings SET state = ?, decided_by = ?, decided_by_name = ?, decided_at = ?, decided_text = ? "+
		"WHERE kind = ? AND number = ? AND version = ? AND state = ?",
		string(s.State), unlessNil(s.DecidedBy), s.DecidedByName, toMillis(s.DecidedAt), s.DecidedText, s.Kind, int64(s.Number), int64(s.Version), string(from))
}

// Settings implements casework.Store.
func (db *DB) Settings(ctx context.Context, kind string, states ...casework.SettingState) ([]casework.Setting, error) {
	if len(states) == 0 {
		return page(ctx, db, settingRow.setting, "SELECT "+settingColumns+" FROM case_settings WHERE kind = ? ORDER BY number, version", kind)
	}
	return page(ctx, db, settingRow.setting, "SELECT "+settingColumns+" FROM case_settings WHERE kind = ? AND state IN (?) ORDER BY number, version",
		kind, bun.List(convert(states, func(s casework.SettingState) string { return string(s) })))
}

type ruleDayRow struct {
	Number  int64 `bun:"number"`
	Day     int64 `bun:"day"`
	N       int64 `bun:"n"`
	Amount  int64 `bun:"amount"`
	Stopped int   `bun:"stopped"`
}

func (r ruleDayRow) day() casework.RuleDay {
	return casework.RuleDay{Number: uint64(r.Number), Day: r.Day, N: r.N, Amount: r.Amount, Stopped: r.Stopped == 1}
}

// RuleDay implements casework.Store.
func (db *DB) RuleDay(ctx context.Context, number uint64, day int64) (casework.RuleDay, error) {
	d, err := one(ctx, db, ruleDayRow.day, "day", "SELECT number, day, n, amount, stopped FROM case_rule_days WHERE number = ? AND day = ?", int64(number), day)
	if problem.CodeOf(err) == problem.NotFound {
		return casework.RuleDay{Number: number, Day: day}, nil
	}
	return d, err
}

// PutRuleDay implements casework.Store.
func (db *DB) PutRuleDay(ctx context.Context, d casework.RuleDay) error {
	return db.changed(ctx, "INSERT INTO case_rule_days (number, day, n, amount, stopped) VALUES (?, ?, ?, ?, 0) ON CONFLICT (number, day) DO UPDATE SET "+
		"n = EXCLUDED.n, amount = EXCLUDED.amount WHERE case_rule_days.n = EXCLUDED.n - 1", int64(d.Number), d.Day, d.N, d.Amount)
}

// StopRuleDay implements casework.Store.
func (db *DB) StopRuleDay(ctx context.Context, number uint64, day int64) error {
	_, err := db.exec(ctx, "INSERT INTO case_rule_days (number, day, n, amount, stopped) VALUES (?, ?, 0, 0, 1) ON CONFLICT (number, day) DO UPDATE SET stopped = 1", int64(number), day)
	return err
}

// RuleDays implements casework.Store.
func (db *DB) RuleDays(ctx context.Context, since int64) ([]casework.RuleDay, error) {
	return page(ctx, db, ruleDayRow.day, "SELECT number, day, n, amount, stopped FROM case_rule_days WHERE day >= ? ORDER BY day DESC, number", since)
}
