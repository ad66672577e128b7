package cache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"sync"
	"time"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/tallystick/tallystick/edge/till"
)

// WriteLimit is how long one write may take. Badger hangs for ever when it runs out
// of file descriptors, for one.
const WriteLimit = 5 * time.Second

// Cache is the till's state store on Badger. It is safe for concurrent use.
type Cache struct {
	dir   string
	db    *badger.DB
	fresh bool
	mark  *mark
	limit time.Duration // WriteLimit

	write sync.Mutex // one batch at a time, so that they are numbered in order
	batch uint64     // number of the last one

	failure sync.Once
	failed  chan struct{}
	err     error // set before failed is closed
	stuck   bool  // a write never came back; set before failed is closed
}

func newCache(dir string, db *badger.DB) *Cache {
	return &Cache{dir: dir, db: db, limit: WriteLimit, failed: make(chan struct{})}
}

// Errors of a store that has ended.
var (
	errSlow  = fmt.Errorf("a write to the cache took longer than %s", WriteLimit)
	errEmpty = errors.New("a key of the cache is empty")
)

// View runs fn on one consistent look at the store.
func (c *Cache) View(ctx context.Context, fn func(till.View) error) error {
	if err := c.usable(ctx); err != nil {
		return fmt.Errorf("look into cache: %w", err)
	}
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	err := fn(view{txn})
	if errors.Is(err, till.ErrDamaged) {
		c.suspect(err)
	}
	return err
}

// Apply makes all changes or none.
func (c *Cache) Apply(ctx context.Context, changes []till.Change) error {
	if err := c.usable(ctx); err != nil {
		return fmt.Errorf("write to cache: %w", err)
	}
	c.write.Lock()
	defer c.write.Unlock()
	txn := c.db.NewTransaction(true)
	defer txn.Discard()
	for _, ch := range changes {
		if len(ch.Key) == 0 {
			return fmt.Errorf("write to cache: %w", errEmpty)
		}
		if err := set(txn, dbKey(ch.Table, ch.Key), ch.Value); err != nil {
			return fmt.Errorf("write to cache: %w", err)
		}
	}
	if err := set(txn, batchKey(c.batch+1), binary.BigEndian.AppendUint64(nil, c.batch+1)); err != nil {
		return fmt.Errorf("write to cache: %w", err)
	}
	if err := c.within(txn.Commit); err != nil {
		// Badger may show the batch although it failed: nobody may look any more.
		err = fmt.Errorf("write to cache: %w", err)
		c.fail(err)
		return err
	}
	c.batch++
	return nil
}

// set writes or, with a nil value, removes a key.
func set(txn *badger.Txn, key, value []byte) error {
	if value == nil {
		return txn.Delete(key)
	}
	return txn.Set(key, seal(key, value))
}

// Sync makes what was applied so far survive a power cut.
func (c *Cache) Sync(ctx context.Context) error {
	if err := c.usable(ctx); err != nil {
		return fmt.Errorf("sync cache: %w", err)
	}
	if err := c.within(c.db.Sync); err != nil {
		err = fmt.Errorf("sync cache: %w", err)
		c.fail(err)
		return err
	}
	return nil
}

// Reset removes everything.
func (c *Cache) Reset(ctx context.Context) error {
	if err := c.usable(ctx); err != nil {
		return fmt.Errorf("empty cache: %w", err)
	}
	c.write.Lock()
	defer c.write.Unlock()
	err := c.db.DropAll()
	if err == nil {
		c.batch = 0
		err = c.begin()
	}
	if err != nil {
		err = fmt.Errorf("empty cache: %w", err)
		c.fail(err)
	}
	return err
}

// Done is closed when the store has failed: the process must exit.
func (c *Cache) Done() <-chan struct{} { return c.failed }

// Err returns why Done was closed, or nil.
func (c *Cache) Err() error {
	select {
	case <-c.failed:
		return c.err
	default:
		return nil
	}
}

// Close writes everything out and ends the store. One with a write that never came
// back cannot be closed; the end of the process does it.
func (c *Cache) Close() error {
	if c.Err() != nil && c.stuck {
		return c.err
	}
	if err := errors.Join(c.db.Close(), c.mark.Close()); err != nil {
		return fmt.Errorf("close cache: %w", err)
	}
	return nil
}

func (c *Cache) usable(ctx context.Context) error {
	if err := c.Err(); err != nil {
		return err
	}
	return ctx.Err()
}

func (c *Cache) fail(err error) {
	c.failure.Do(func() {
		c.err, c.stuck = err, errors.Is(err, errSlow)
		close(c.failed)
	})
}

// suspect ends the store because it gave wrong data, and leaves a mark so that the
// next Open does not trust it again.
func (c *Cache) suspect(err error) {
	mark := os.WriteFile(filepath.Join(c.dir, suspectName), []byte(err.Error()+"\n"), 0o600)
	c.fail(errors.Join(err, mark))
}

// within runs a write of Badger and gives up on it after the limit.
func (c *Cache) within(fn func() error) error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	limit := time.NewTimer(c.limit)
	defer limit.Stop()
	select {
	case err := <-done:
		return err
	case <-limit.C:
		return errSlow
	}
}

// view is one Badger transaction for reading.
type view struct{ txn *badger.Txn }

// Get returns the value, or till.ErrAbsent.
func (v view) Get(table till.Table, key []byte) ([]byte, error) {
	at := dbKey(table, key)
	it, err := v.txn.Get(at)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, till.ErrAbsent
	}
	if err != nil {
		return nil, fmt.Errorf("read cache: %w: %w", till.ErrDamaged, err)
	}
	return unseal(at, it)
}

// Scan calls fn for the keys of the table from from on that start with prefix.
func (v view) Scan(table till.Table, prefix, from []byte, fn func(key, value []byte) error) error {
	start := dbKey(table, prefix)
	it := v.txn.NewIterator(badger.IteratorOptions{PrefetchValues: false, Prefix: start})
	defer it.Close()
	if from != nil {
		start = dbKey(table, from)
	}
	for it.Seek(start); it.Valid(); it.Next() {
		at := it.Item().KeyCopy(nil)
		value, err := unseal(at, it.Item())
		if err == nil {
			err = fn(at[1:], value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func dbKey(table till.Table, key []byte) []byte {
	out := make([]byte, 0, 1+len(key))
	return append(append(out, byte(table)), key...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

// seal puts the checksum of key and value before the value.
func seal(key, value []byte) []byte {
	sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
	out := binary.BigEndian.AppendUint32(make([]byte, 0, sumSize+len(value)), sum)
	return append(out, value...)
}

// unseal returns a copy of the value, or till.ErrDamaged when it is not what was
// written under key.
func unseal(key []byte, it *badger.Item) ([]byte, error) {
	raw, err := it.ValueCopy(nil)
	if err != nil {
		return nil, fmt.Errorf("read cache: %w: %w", till.ErrDamaged, err)
	}
	if len(raw) >= sumSize {
		value := raw[sumSize:]
		sum := crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
		if binary.BigEndian.Uint32(raw) == sum {
			return value, nil
		}
	}
	return nil, fmt.Errorf("read cache: checksum of a value of table %d: %w", key[0], till.ErrDamaged)
}
