package branding_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/wallet/brand"
)

// counted is a store that counts who reads looks, and how many did at a time.
type counted struct {
	*store.DB
	reads, inside, most atomic.Int64
}

func (c *counted) Look(ctx context.Context, version uint64) (branding.Record, error) {
	c.reads.Add(1)
	defer c.inside.Add(-1)
	for n := c.inside.Add(1); ; {
		if most := c.most.Load(); most >= n || c.most.CompareAndSwap(most, n) {
			break
		}
	}
	for range 1000 {
		runtime.Gosched()
	}
	return c.DB.Look(ctx, version)
}

// Anybody may ask for pictures of old looks: what is remembered costs no reading, and few
// others are read and drawn at a time.
func TestPublicPicturesOfOldLooksCostLittle(t *testing.T) {
	r := newRig(t)
	b := brand.Default("Corner Shop")
	for version := range uint64(8) {
		b.Version = version
		b.Company = "Company " + strconv.FormatUint(version, 10)
		if _, err := r.Put(t.Context(), ada, b, branding.Pictures{}); err != nil {
			t.Fatal(err)
		}
	}
	db := &counted{DB: r.db}
	s := branding.New(branding.Env{Store: db, Clock: r.clock, Programme: "Corner Shop"})
	ask := func() {
		var all sync.WaitGroup
		for version := range uint64(7) {
			all.Go(func() {
				if _, err := s.Public(t.Context(), version+1, brand.NameLogo); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	ask()
	if n := db.most.Load(); n > 2 {
		t.Errorf("%d looks were read at a time", n)
	}
	before := db.reads.Load()
	ask()
	if n := db.reads.Load() - before; n != 0 {
		t.Errorf("looks were read %d times for pictures that are remembered", n)
	}
}
