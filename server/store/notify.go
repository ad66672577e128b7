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

// Notify tells the other processes on the database. It must not run inside a
// transaction that changes something: PostgreSQL lets only one transaction that
// notifies commit at a time.
func (db *DB) Notify(ctx context.Context, topic Topic) error {
	if !db.Shared() {
		return nil
	}
	if _, err := db.writer.ExecContext(ctx, "SELECT pg_notify(?, '')", string(topic)); err != nil {
		return fmt.Errorf("notify %s: %w", topic, err)
	}
	return nil
}

// Listen calls heard for each notification, and once for each topic when it has
// begun to listen, since some may have been missed. It returns when ctx ends or the
// connection is lost.
func (db *DB) Listen(ctx context.Context, heard func(Topic), topics ...Topic) error {
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
		return listen(ctx, c.Conn(), heard, topics)
	})
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

func listen(ctx context.Context, c *pgx.Conn, heard func(Topic), topics []Topic) error {
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
		heard(Topic(n.Channel))
	}
}
