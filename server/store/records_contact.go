package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/server/webshop"
)

// Heard implements fleet.Keeper.
func (db *DB) Heard(ctx context.Context, c fleet.EpochContact) error {
	_, err := db.exec(ctx, "INSERT INTO terminal_contacts (shard, terminal, epoch, at, head_seq, acked_seq) VALUES (?, ?, ?, ?, ?, ?) "+
		"ON CONFLICT (shard, terminal) DO UPDATE SET epoch = EXCLUDED.epoch, at = EXCLUDED.at, "+
		"head_seq = CASE WHEN EXCLUDED.epoch = terminal_contacts.epoch AND terminal_contacts.head_seq > EXCLUDED.head_seq "+
		"THEN terminal_contacts.head_seq ELSE EXCLUDED.head_seq END, "+
		"acked_seq = CASE WHEN EXCLUDED.epoch = terminal_contacts.epoch AND terminal_contacts.acked_seq > EXCLUDED.acked_seq "+
		"THEN terminal_contacts.acked_seq ELSE EXCLUDED.acked_seq END "+
		"WHERE terminal_contacts.epoch <= EXCLUDED.epoch",
		shard.Of(c.Terminal), c.Terminal[:], int64(c.Epoch), toMillis(c.LastContactAt), int64(c.HeadSeq), int64(c.AckedSeq))
	return err
}

// NoteClock implements fleet.Keeper.
func (db *DB) NoteClock(ctx context.Context, terminal uuid.UUID, ahead, at int64) error {
	_, err := db.exec(ctx, "UPDATE terminal_contacts SET clock_error = ?, clock_at = ? WHERE shard = ? AND terminal = ?", ahead, at, shard.Of(terminal), idBytes(terminal))
	return err
}

type contactRow struct {
	Terminal []byte `bun:"terminal"`
	Epoch    int64  `bun:"epoch"`
	At       int64  `bun:"at"`
	HeadSeq  int64  `bun:"head_seq"`
	AckedSeq int64  `bun:"acked_seq"`
}

// Contacts implements fleet.Keeper.
func (db *DB) Contacts(ctx context.Context, terminals []uuid.UUID) (map[uuid.UUID]fleet.EpochContact, error) {
	keys := convert(terminals, func(id uuid.UUID) row { return row{shard.Of(id), idBytes(id)} })
	rows, err := selectKeys[contactRow](ctx, db, db.read(ctx),
		"SELECT terminal, epoch, at, head_seq, acked_seq FROM terminal_contacts WHERE ?", "shard, terminal", keys)
	out := make(map[uuid.UUID]fleet.EpochContact, len(rows))
	for _, r := range rows {
		out[toID(r.Terminal)] = fleet.EpochContact{Terminal: toID(r.Terminal), Epoch: uint32(r.Epoch), Contact: fleet.Contact{
			LastContactAt: fromMillis(r.At), HeadSeq: uint64(r.HeadSeq), AckedSeq: uint64(r.AckedSeq),
		}}
	}
	return out, err
}

type terminalCountRow struct {
	State string `bun:"state"`
	N     int64  `bun:"n"`
}

// noShop leaves out the terminals of the web shop, which are HQ's own and hold nothing.
const noShop = "name <> ? AND name NOT LIKE ?"

// CountTerminals implements fleet.Keeper.
func (db *DB) CountTerminals(ctx context.Context, onlineSince time.Time) (map[fleet.State]fleet.Count, error) {
	total, err := page(ctx, db, asIs[terminalCountRow], "SELECT state, COUNT(*) AS n FROM terminals WHERE "+noShop+" GROUP BY state", webshop.TerminalName, webshop.TerminalName+" %")
	if err != nil {
		return nil, fmt.Errorf("count terminals: %w", err)
	}
	online, err := page(ctx, db, asIs[terminalCountRow], "SELECT t.state AS state, COUNT(*) AS n FROM terminal_contacts AS c "+
		"JOIN terminals AS t ON t.id = c.terminal AND t.epoch = c.epoch WHERE c.at >= ? AND "+noShop+" GROUP BY t.state", toMillis(onlineSince), webshop.TerminalName, webshop.TerminalName+" %")
	if err != nil {
		return nil, fmt.Errorf("count terminals online: %w", err)
	}
	out := make(map[fleet.State]fleet.Count, len(total))
	for _, r := range total {
		out[fleet.State(r.State)] = fleet.Count{Total: r.N}
	}
	for _, r := range online {
		c := out[fleet.State(r.State)]
		c.Online = r.N
		out[fleet.State(r.State)] = c
	}
	return out, nil
}
