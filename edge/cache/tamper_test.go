package cache_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/tallystick/tallystick/edge/till"
)

// tampered opens a store of ten batches with Badger alone and changes it.
func tampered(t *testing.T, change func(*badger.Txn) error) string {
	t.Helper()
	dir := t.TempDir()
	c, _ := open(t, dir)
	for n := range 10 {
		key := fmt.Appendf(nil, "k%d", n)
		if err := c.Apply(context.Background(), []till.Change{{Table: 1, Key: key, Value: []byte("value")}}); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, c)
	db, err := badger.Open(badger.DefaultOptions(filepath.Join(dir, "db")).WithLogger(nil).WithCompression(options.None))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestHoleBetweenBatchesIsFound(t *testing.T) {
	for name, key := range map[string][]byte{
		"a batch in the middle": {0, 'b', 0, 5}, "the first batch": {0, 'b', 0, 1}, "the schema": append([]byte{0}, "schema"...),
	} {
		t.Run(name, func(t *testing.T) {
			c, opened := open(t, tampered(t, func(txn *badger.Txn) error { return txn.Delete(key) }))
			defer closed(t, c)
			if !opened.Fresh || opened.Damage == nil || opened.Quarantined == "" {
				t.Errorf("opened %+v", opened)
			}
		})
	}
}

func TestOtherSchemaIsMovedAside(t *testing.T) {
	dir := tampered(t, func(txn *badger.Txn) error { return txn.Set(append([]byte{0}, "schema"...), []byte{0, 0, 0, 0, 99}) })
	c, opened := open(t, dir)
	defer closed(t, c)
	if !opened.Fresh || opened.Damage == nil {
		t.Errorf("opened %+v", opened)
	}
}

func TestWrongValueIsNeverPassedOnAndEndsTheStore(t *testing.T) {
	other := []byte{0xe3, 0x06, 0x92, 0x83, 'v', 'a', 'l', 'u', 'e'} // a checksum of something else
	dir := tampered(t, func(txn *badger.Txn) error { return txn.Set([]byte("\x01k3"), other) })
	c, opened := open(t, dir)
	if opened.Damage != nil {
		t.Fatalf("opened %+v", opened)
	}
	err := c.View(context.Background(), func(v till.View) error {
		_, err := v.Get(1, []byte("k3"))
		return err
	})
	if !errors.Is(err, till.ErrDamaged) || !errors.Is(c.Err(), till.ErrDamaged) {
		t.Errorf("read: %v, then %v", err, c.Err())
	}
	<-c.Done()
	if err := c.Apply(context.Background(), nil); !errors.Is(err, till.ErrDamaged) {
		t.Errorf("a store that ended takes batches: %v", err)
	}
	closed(t, c)
	c, opened = open(t, dir)
	if !opened.Fresh || opened.Damage == nil {
		t.Errorf("opened %+v", opened)
	}
	closed(t, c)
	c, opened = open(t, dir)
	if opened.Damage != nil || opened.Fresh {
		t.Errorf("the mark outlived the store it was about: %+v", opened)
	}
	closed(t, c)
}
