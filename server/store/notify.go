package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// Topic is what another process may be told to look at. A notification is a hint:
// it may be lost, and whoever listens also looks by itself.
type Topic string

// Topics.
const (
	TopicEntries Topic = "tallystick_entries" // entries were taken in
	TopicFeed    Topic = "tallystick_feed"    // the feed moved
)

// Shared reports whether other processes may serve on the same database.
func (db *DB) Shared() bool { return !db.sqlite }

// Notify tells the other processes on the database; self names this one. It runs by
// itself, never in the transaction that makes the change: PostgreSQL lets only one
// transaction that notifies commit at a time.
func (db *DB) Notify(ctx context.Context, topic Topic, self string) error {
	if _, err := db.writer.ExecContext(ctx, "SELECT pg_notify(?, ?)", string(topic), self); err != nil {
		return fmt.Errorf("notify %s: %w", topic, err)
	}
	return nil
}

// Listen calls heard for each notification of another process than self, and once
// for each topic when it has begun to listen, since some may have been missed. It
// returns when ctx ends or the connection is lost.
func (db *DB) Listen(ctx context.Context, self string, heard func(Topic), topics ...Topic) error {
	conn, err := db.writer.Conn(ctx)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer conn.Close()
	err = conn.Raw(func(driver any) error {
		c, ok := driver.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("%T cannot listen", driver)
		}
		// Never back into the pool: what it listens to would come with it.
		defer c.Conn().Close(context.WithoutCancel(ctx))
		return listen(ctx, c.Conn(), self, heard, topics)
	})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

func listen(ctx context.Context, c *pgx.Conn, self string, heard func(Topic), topics []Topic) error {
	for _, topic := range topics {
		if _, err := c.Exec(ctx, "LISTEN "+pgx.Identifier{string(topic)}.Sanitize()); err != nil {
			return err
		}
		heard(topic)
	}
	for {
		n, err := c.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload != self {
			heard(Topic(n.Channel))
		}
	}
}
