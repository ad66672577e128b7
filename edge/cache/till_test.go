package cache_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// The size of the G1 test.
const sales, members, lanes = 10_000, 500, 32

// No network from the first sale to the last, over six days, on the real journal and
// Badger: each member's first sale redeems, the figures stay right, and a restart
// with HQ off redeems again.
func TestG1_TenThousandSalesWithoutHQ(t *testing.T) {
	w := tilltest.NewWorld(t)
	w.Policy.PerTerminal = 1_000_000
	ctx := context.Background()
	disk, err := journal.Open(ctx, t.TempDir(), w.Writer)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = disk.Close() }()
	dir := t.TempDir()
	store, _ := open(t, dir)
	desk, _ := w.Open(t, disk, store)
	reward := w.Reward(100, 500)
	everybody := make([]wire.Member, members)
	items := append(w.Base(t), w.Item(t, wire.ItemReward, reward.ID, reward))
	for i := range everybody {
		everybody[i] = w.Member(1000)
		items = append(items, w.Item(t, wire.ItemMember, everybody[i].ID, everybody[i]))
	}
	w.Feed(t, desk, items...)

	sellAll(t, w, desk, everybody, reward)
	status, err := desk.Status(ctx)
	// Beside the sales: who began, and the days that ended meanwhile.
	if more := status.Head.Seq - sales; err != nil || status.Queue != status.Head.Seq || more < 1 || more > 7 || status.SpentPoints != 200*members || status.Oldest.IsZero() {
		t.Errorf("status %+v, %v", status, err)
	}
	closed(t, store, desk)

	store, opened := open(t, dir)
	if opened.Fresh {
		t.Fatalf("opened %+v", opened)
	}
	desk, _ = w.Open(t, disk, store)
	scan, err := desk.Identify(ctx, w.Static(t, everybody[7]))
	if err != nil {
		t.Fatal(err)
	}
	// Twenty sales of 10.00; the first was paid with points and earned nothing.
	if h := scan.Member.Holdings[0]; h.Free != 800 || h.Pending != 190 {
		t.Errorf("after the restart: %+v", h)
	}
	req := till.Request{
		Codes: []string{w.Static(t, everybody[7])}, Basket: tilltest.Basket(1000),
		Wishes: []loyalty.Wish{{Reward: reward.ID, Times: 1}},
	}
	if _, err := desk.Commit(ctx, tilltest.Commit("after the restart", req)); err != nil {
		t.Error(err)
	}
	closed(t, store, desk)
	loseCache(t, w, disk)
}

// sellAll sells in waves; time goes by between them, for both clocks at once.
func sellAll(t *testing.T, w *tilltest.World, desk *till.Till, everybody []wire.Member, reward loyalty.Reward) {
	sell := func(n int) {
		req := till.Request{Codes: []string{w.Static(t, everybody[n%members])}, Basket: tilltest.Basket(1000)}
		if n < members {
			req.Wishes = append(req.Wishes, loyalty.Wish{Reward: reward.ID, Times: 2})
		}
		if _, err := desk.Commit(context.Background(), tilltest.Commit(fmt.Sprint(n), req)); err != nil {
			t.Errorf("sale %d: %v", n, err)
		}
	}
	const waves = 10
	for wave := range waves {
		var wait sync.WaitGroup
		for lane := range lanes {
			wait.Go(func() {
				for n := wave*sales/waves + lane; n < (wave+1)*sales/waves; n += lanes {
					sell(n)
				}
			})
		}
		wait.Wait()
		w.Pass(6 * 24 * time.Hour / waves)
	}
}

// loseCache begins with an empty cache: the journal gives back all that was sold.
func loseCache(t *testing.T, w *tilltest.World, disk *journal.Journal) {
	ctx := context.Background()
	store, _ := open(t, t.TempDir())
	start, head := time.Now(), disk.Head()
	desk, r := w.Open(t, disk, store)
	t.Logf("rebuilt from %d entries in %s", r.Replayed, time.Since(start))
	defer closed(t, store, desk)
	again, err := desk.Commit(ctx, tilltest.Commit("4711", till.Request{}))
	if err != nil || !again.Replayed || !r.Rebuilt || r.Replayed != head.Seq {
		t.Errorf("recovered %+v, sold again %+v, %v", r, again, err)
	}
	w.Restart() // what the policy's unit is, only HQ says
	w.Feed(t, desk, w.Base(t)...)
	if status, err := desk.Status(ctx); err != nil || status.SpentPoints != 200*members+100 {
		t.Errorf("status %+v, %v", status, err)
	}
}

// A page larger than one write to the store is taken in whole.
func TestLargestPageIsTakenIn(t *testing.T) {
	w := tilltest.NewWorld(t)
	store, _ := open(t, t.TempDir())
	desk, _ := w.Open(t, &tilltest.Journal{Writer: w.Writer}, store)
	defer closed(t, store, desk)
	w.Feed(t, desk, w.Base(t)...)
	var all []wire.Member
	var items []wire.Item
	for range wire.MaxFeedItems {
		m := w.Member(7)
		m.Alias = strings.Repeat("x", 1500)
		all, items = append(all, m), append(items, w.Item(t, wire.ItemMember, m.ID, m))
	}
	w.Feed(t, desk, items...)
	for _, m := range []wire.Member{all[0], all[len(all)/2], all[len(all)-1]} {
		if scan, err := desk.Identify(context.Background(), w.Static(t, m)); err != nil || scan.Member.Holdings[0].Free != 7 {
			t.Errorf("scanned %+v, %v", scan, err)
		}
	}
}
