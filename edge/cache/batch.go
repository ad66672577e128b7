package cache

import (
	"encoding/binary"
	"errors"
	"fmt"

	badger "github.com/dgraph-io/badger/v4"

	"github.com/tallystick/tallystick/edge/till"
)

// ring is how many batch numbers are kept. Badger ends a log at its first bad
// record without a word; when a newer log follows, batches are missing from the
// middle. A log of 4 MB holds fewer batches than this, so a hole shows.
const ring = 1 << 14

const ownTable till.Table = 0

var (
	schemaKey   = append([]byte{byte(ownTable)}, "schema"...)
	batchPrefix = []byte{byte(ownTable), 'b'}
)

func batchKey(n uint64) []byte {
	return binary.BigEndian.AppendUint16(batchPrefix[:len(batchPrefix):len(batchPrefix)], uint16(n%ring))
}

// begin checks the schema and the numbers of the last batches, or writes the first
// batch of a new store.
func (c *Cache) begin() error {
	txn := c.db.NewTransaction(false)
	defer txn.Discard()
	it, err := txn.Get(schemaKey)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return c.first()
	}
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	value, err := unseal(schemaKey, it)
	if err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	if len(value) != 1 || value[0] != till.Schema {
		return fmt.Errorf("cache has schema %x, this release has %x", value, till.Schema)
	}
	c.batch, err = lastBatch(txn)
	return err
}

// first writes batch 1 of a new store. A store with anything in it and no schema
// has lost its beginning.
func (c *Cache) first() error {
	err := c.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		if it.Rewind(); it.Valid() {
			return fmt.Errorf("cache has data and no schema: %w", till.ErrDamaged)
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.db.Update(func(txn *badger.Txn) error {
		one := binary.BigEndian.AppendUint64(nil, 1)
		return errors.Join(set(txn, schemaKey, []byte{till.Schema}), set(txn, batchKey(1), one))
	})
	if err == nil {
		err = c.db.Sync()
	}
	if err != nil {
		return fmt.Errorf("begin cache: %w", err)
	}
	c.batch, c.fresh = 1, true
	return nil
}

// lastBatch returns the number of the last batch, when the numbers kept leave no
// hole before it.
func lastBatch(txn *badger.Txn) (uint64, error) {
	var last, lowest, count uint64
	it := txn.NewIterator(badger.IteratorOptions{Prefix: batchPrefix})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		key := it.Item().KeyCopy(nil)
		value, err := unseal(key, it.Item())
		if err != nil {
			return 0, fmt.Errorf("read batch numbers: %w", err)
		}
		n := binary.BigEndian.Uint64(value)
		if count == 0 || n < lowest {
			lowest = n
		}
		last = max(last, n)
		count++
	}
	if count == 0 || last-lowest+1 != count || count != min(last, ring) {
		return 0, fmt.Errorf("batches are missing: %d numbers from %d to %d: %w", count, lowest, last, till.ErrDamaged)
	}
	return last, nil
}
