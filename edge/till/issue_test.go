package till_test

import (
	"context"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
	"github.com/tallystick/tallystick/wallet/passtoken"
)

// A phone in flight mode shows the code of three updates ago.
func TestG1_APhoneThatMissedUpdatesForAWeekLosesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		grace int64
		after time.Duration
		want  problem.Code
	}{
		"today":                      {0, time.Hour, ""},
		"almost a week":              {0, 7*24*time.Hour - time.Minute, ""},
		"a week":                     {0, 7 * 24 * time.Hour, problem.CodeOutdated},
		"no grace":                   {-1, time.Hour, problem.CodeOutdated},
		"ten days of grace, on nine": {10, 9 * 24 * time.Hour, ""},
	} {
		s := newShop(t, func(s *shop) { s.Policy.IssueGraceDays = c.grace })
		code := s.Token(t, passtoken.KindMember, s.member.ID, 2).Text()
		s.member.Issue = 5
		at := tilltest.Start.UnixMilli()
		s.member.Replaced = []loyalty.Replaced{{Issue: 4, At: at}, {Issue: 3, At: at}, {Issue: 2, At: at}}
		s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
		s.Pass(c.after) // offline
		scan, err := s.till.Identify(context.Background(), code)
		if (err != nil) != (c.want != "") || err != nil && problem.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && (scan.Member.ID != s.member.ID || scan.Member.Holdings[0].Free != 10_000) {
			t.Errorf("%s: %+v", name, scan.Member)
		}
	}
}

// memberOfOld is a member as the first releases know one.
type memberOfOld struct {
	Issue uint16 `cbor:"4,keyasint"`
}

func TestOldTerminalsReadMembersWithReplacedIssues(t *testing.T) {
	raw, err := wire.Marshal(wire.Member{Issue: 5, Replaced: []loyalty.Replaced{{Issue: 4, At: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	if old, err := wire.Unmarshal[memberOfOld](raw); err != nil || old.Issue != 5 {
		t.Errorf("read %+v, %v", old, err)
	}
	if raw, err = wire.Marshal(memberOfOld{Issue: 5}); err != nil {
		t.Fatal(err)
	}
	if m, err := wire.Unmarshal[wire.Member](raw); err != nil || m.Issue != 5 || m.Replaced != nil {
		t.Errorf("read %+v, %v", m, err)
	}
}

// A lost phone's code is refused from the moment a till hears of the loss, which raises
// the issue by two: by one it would go on as the one before the newest, which phones that
// missed an update may show. Updates before the loss give the thief no grace.
func TestALostPhonesCodeIsRefusedAtOnce(t *testing.T) {
	for raised, want := range map[uint16]problem.Code{0: "", 1: "", 2: problem.CodeOutdated} {
		s := newShop(t, nil)
		issues := []loyalty.Issued{{Issue: 2, Since: tilltest.Start.UnixMilli() - 1, Updated: true}}
		stolen := s.Token(t, passtoken.KindMember, s.member.ID, 2).Text()
		for n := range raised {
			issues = append(issues, loyalty.Issued{Issue: 3 + n, Since: tilltest.Start.UnixMilli()})
		}
		s.member.Issue, s.member.Replaced = loyalty.IssuesAt(issues, tilltest.Start.UnixMilli())
		s.Feed(t, s.till, s.Item(t, wire.ItemMember, s.member.ID, s.member))
		if _, err := s.till.Identify(context.Background(), stolen); problem.CodeOf(err) != want && (err != nil || want != "") {
			t.Errorf("raised by %d: the stolen phone's code: %v, want %q", raised, err, want)
		}
		if _, err := s.till.Identify(context.Background(), s.Static(t, s.member)); err != nil {
			t.Errorf("raised by %d: the owner's new code: %v", raised, err)
		}
	}
}

// A voucher's code that was taken back is refused, alone and beside its member's own card,
// and the one that took its place is good; so is the voucher from the member's card.
func TestAVouchersCodeThatWasTakenBackIsRefused(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	gift := s.World.Voucher(s.member, s.five, 2)
	s.Feed(t, s.till, s.Item(t, wire.ItemVoucher, gift.Voucher.ID, gift))
	code := func(issue uint16) string { return s.Token(t, passtoken.KindVoucher, gift.Voucher.ID, issue).Text() }
	first := code(1)
	if _, err := s.till.Identify(ctx, first); err != nil {
		t.Fatal(err)
	}
	gift.Voucher.Issue = 2
	s.Feed(t, s.till, s.Item(t, wire.ItemVoucher, gift.Voucher.ID, gift))
	wish := []loyalty.Wish{use(gift, 1)}
	for name, codes := range map[string][]string{"alone": {first}, "with the card": {s.Static(t, s.member), first}} {
		_, err := s.till.Commit(ctx, tilltest.Commit(name, till.Request{Codes: codes, Basket: tilltest.Basket(1000), Wishes: wish}))
		if problem.CodeOf(err) != problem.CodeOutdated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := s.till.Identify(ctx, code(3)); err != nil {
		t.Errorf("a code newer than the till knows of: %v", err)
	}
	s.commit(t, "new", till.Request{Codes: []string{code(2)}, Basket: tilltest.Basket(1000), Wishes: wish})
	s.commit(t, "own", till.Request{Codes: []string{s.Static(t, s.member)}, Basket: tilltest.Basket(1000), Wishes: wish})
}
