package e2e

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/stage"
)

// used is a lane that has redeemed Anna's voucher and points, delivered it, and
// been stopped.
type used struct {
	*scene
	lane *stage.Lane
	anna stage.Shopper
	sale edgeclient.Sale
	wish []edgeclient.Wish
}

func newUsed(t *testing.T) *used {
	t.Helper()
	u := &used{scene: newScene(t)}
	u.lane = u.scene.lane(t, "lane1")
	u.anna = u.shopper(t, "Anna", 600)
	voucher, err := u.GiveVoucher(t.Context(), u.anna, u.programme.Breakfast)
	must(t, err)
	must(t, stage.Until(t.Context(), "the lane knows the voucher", func() (bool, error) {
		scan, err := u.lane.Scan(t.Context(), u.anna.Code)
		return len(scan.Vouchers) == 1, err
	}))
	u.wish = []edgeclient.Wish{{Voucher: voucher}}
	u.sale = sell(t, u.lane, "r1", edgeclient.QuoteRequest{Code: u.anna.Code, Total: 20_00, Redeem: u.wish})
	u.settle(t)
	must(t, u.lane.Stop(t.Context()))
	return u
}

// checkIntact starts the lane and checks that it knows its sale and the used voucher.
func (u *used) checkIntact(t *testing.T) {
	t.Helper()
	must(t, u.lane.Start(t.Context()))
	must(t, u.lane.AwaitOnline(t.Context()))
	found, err := u.lane.Find(t.Context(), "r1")
	must(t, err)
	if len(found) != 1 || found[0].ID != u.sale.ID || found[0].Hash != u.sale.Hash {
		t.Fatalf("receipt r1: %+v, want %+v", found, u.sale)
	}
	must(t, u.lane.AwaitMember(t.Context(), u.anna.Code, stage.Points, 600))
	_, err = u.lane.Quote(t.Context(), edgeclient.QuoteRequest{
		Code: u.anna.Code, Currency: stage.Currency, Total: 20_00, Redeem: u.wish,
	})
	wantCode(t, "the used voucher", err, problem.VoucherUsed)
}

func TestCacheDeleted(t *testing.T) {
	t.Parallel()
	u := newUsed(t)
	must(t, os.RemoveAll(filepath.Join(u.lane.Data, "cache")))
	u.checkIntact(t)
}

// A cache rebuilt without HQ counts as infinitely old: redeeming waits for HQ, and
// nothing of the journal is lost meanwhile.
func TestCacheDeletedWhileHQIsOff(t *testing.T) {
	t.Parallel()
	u := newUsed(t)
	u.WAN.Cut()
	must(t, os.RemoveAll(filepath.Join(u.lane.Data, "cache")))
	must(t, u.lane.Start(t.Context()))
	found, err := u.lane.Find(t.Context(), "r1")
	must(t, err)
	if len(found) != 1 || found[0].ID != u.sale.ID {
		t.Errorf("receipt r1: %+v, want %+v", found, u.sale)
	}
	_, err = u.lane.Quote(t.Context(), edgeclient.QuoteRequest{
		Code: u.anna.Code, Currency: stage.Currency, Total: 20_00,
		Redeem: []edgeclient.Wish{{Reward: u.programme.Coffee.ID}},
	})
	wantCode(t, "a redemption from an empty cache", err, problem.StandInOff, problem.MemberUnknown, problem.Unavailable)
	must(t, u.lane.Stop(t.Context()))
	must(t, u.WAN.Restore(t.Context()))
	u.checkIntact(t)
}

// Every file of the cache is damaged in turn, in the middle and by loss.
func TestCacheDamaged(t *testing.T) {
	t.Parallel()
	u := newUsed(t)
	cache := filepath.Join(u.lane.Data, "cache")
	pristine := filepath.Join(t.TempDir(), "cache")
	must(t, os.CopyFS(pristine, os.DirFS(cache)))
	for _, damage := range []struct {
		name string
		do   func(string) error
	}{
		{"flipped", flipMiddle},
		{"cut in half", func(name string) error {
			info, err := os.Stat(name)
			if err != nil {
				return err
			}
			return os.Truncate(name, info.Size()/2)
		}},
		{"removed", os.Remove},
	} {
		for _, file := range filesIn(t, pristine) {
			t.Run(damage.name+" "+file, func(t *testing.T) {
				must(t, os.RemoveAll(cache))
				must(t, os.CopyFS(cache, os.DirFS(pristine)))
				must(t, damage.do(filepath.Join(cache, file)))
				// A start may crash on a damaged cache; the supervisor's next one may not.
				if err := u.lane.Start(t.Context()); err != nil {
					t.Logf("first start: %.200v", err)
				} else {
					must(t, u.lane.Stop(t.Context()))
				}
				u.checkIntact(t)
				must(t, u.lane.Stop(t.Context()))
			})
		}
	}
}

func TestSecondAgentOnOneTillIsRefused(t *testing.T) {
	t.Parallel()
	u := newUsed(t)
	must(t, u.lane.Start(t.Context()))
	second := *u.lane
	err := second.Start(t.Context())
	if err == nil {
		t.Fatal("two agents run on one till")
	}
	if !strings.Contains(err.Error(), string(problem.CacheLocked)) {
		t.Errorf("the second agent said: %v", err)
	}
	if _, err := u.lane.Status(t.Context()); err != nil {
		t.Errorf("the first agent: %v", err)
	}
}

func TestG6_FlippedBitInTheJournalStopsTheLane(t *testing.T) {
	t.Parallel()
	u := newUsed(t)
	for n := range 5 { // groups that follow the damage prove that it is none of a torn tail
		must(t, u.lane.Start(t.Context()))
		sell(t, u.lane, "more-"+string(rune('a'+n)), edgeclient.QuoteRequest{Code: u.anna.Code, Total: 1_00})
		must(t, u.lane.Stop(t.Context()))
	}
	segment := fullestSegment(t, u.lane.Data)
	good, err := os.ReadFile(segment)
	must(t, err)
	bad := bytes.Clone(good)
	bad[len(bytes.TrimRight(good, "\x00"))/2] ^= 0x10
	must(t, os.WriteFile(segment, bad, 0o600))
	err = u.lane.Start(t.Context())
	if err == nil {
		t.Fatal("the lane runs on a damaged journal")
	}
	if !strings.Contains(err.Error(), string(problem.JournalDamaged)) {
		t.Errorf("the lane said: %v", err)
	}
	after, err := os.ReadFile(segment)
	must(t, err)
	if !bytes.Equal(after, bad) {
		t.Error("the damaged segment was changed")
	}
	must(t, os.WriteFile(segment, good, 0o600))
	u.checkIntact(t)
}

// filesIn lists the non-empty files of a folder.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 0 {
			rel, relErr := filepath.Rel(dir, path)
			out, err = append(out, rel), relErr
		}
		return err
	}))
	slices.Sort(out)
	return out
}

// flipMiddle flips one bit in the middle of what a file holds; trailing zeros are
// preallocated space and do not count.
func flipMiddle(name string) error {
	raw, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	end := len(bytes.TrimRight(raw, "\x00"))
	if end == 0 {
		return nil // nothing in it to damage
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte{raw[end/2] ^ 0x10}, int64(end/2))
	return errors.Join(err, f.Close())
}

// fullestSegment returns the segment file with most content of a lane's journal.
func fullestSegment(t *testing.T, data string) string {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(data, "journal-*", "*.seg"))
	must(t, err)
	best, most := "", 0
	for _, name := range segments {
		raw, err := os.ReadFile(name)
		must(t, err)
		if n := len(bytes.TrimRight(raw, "\x00")); n > most {
			best, most = name, n
		}
	}
	if best == "" {
		t.Fatalf("no segment with content below %s", data)
	}
	return best
}
