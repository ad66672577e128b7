package pass_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
)

// engines runs a test on SQLite and on PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, blank.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, blank.PostgreSQL(t)) })
}

// A life with everything in it is the same on every engine.
func TestALifeOnEveryEngine(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		r := newRigOn(t, dsn, pass.Settings{Reissue: true})
		ctx := context.Background()
		ada, bob := r.member("Ada"), r.member("Bob")
		h := r.install(r.issue(ada, pass.Apple), "phone-1")
		_, err := r.GoogleLink(ctx, ada.ID)
		r.must(err)
		r.must(r.Joined(ctx, bob.ID))
		if again := r.issue(ada, pass.Apple); again.Serial() != h.caller.Serial {
			t.Error("a second pass of one channel was issued")
		}
		till := r.hq.Till(t, "till")
		r.give(ada, 100)
		till.Sell(t, ada.Account, 5000, 40)
		till.Sync(t, 1)
		r.hq.Clock.Advance(2 * time.Hour)
		r.hq.Apply(t)
		r.rounds()
		if h.update(); h.points() != 109 || len(r.apple.put) != 2 {
			t.Errorf("the phone shows %d points, Google was put %d times", h.points(), len(r.apple.put))
		}
		r.hq.Clock.Advance(time.Hour)
		r.rounds()
		if h.update(); h.face.Issue != 2 {
			t.Errorf("after a redemption the issue is %d", h.face.Issue)
		}
		r.must(r.AddLog(ctx, []string{"one", "two"}))
		if lines, err := r.Log(ctx, uuid.Nil, 10); err != nil || len(lines) != 2 || lines[0].Text != "two" {
			t.Errorf("the log says %v (%v)", lines, err)
		}
		r.figures() // writes the marks
		first, next, err := r.List(ctx, pass.Filter{}, "", 2)
		r.must(err)
		rest, end, err := r.List(ctx, pass.Filter{}, next, 2)
		r.must(err)
		if len(first) != 2 || len(rest) != 1 || end != "" {
			t.Errorf("the list has %d and %d passes, and then %q", len(first), len(rest), end)
		}
		mine, _, err := r.List(ctx, pass.Filter{Channel: pass.Apple, State: pass.Installed, Member: ada.ID}, "", 10)
		r.must(err)
		if len(mine) != 1 || mine[0].Devices != 1 || mine[0].FetchedTag != mine[0].Tag || mine[0].Lag == 0 || mine[0].PushedAt.IsZero() || mine[0].ListedAt.IsZero() {
			t.Errorf("the pass is shown as %+v", mine)
		}
		_, err = r.Resend(ctx, ada.ID, mine[0].ID)
		r.must(err)
		r.must(r.hq.DB.InTx(ctx, func(ctx context.Context) error {
			_, err := r.Lost(ctx, bob.ID, ada.ID)
			return err
		}))
		r.must(r.Left(ctx, ada.ID))
		r.hq.Clock.Advance(31 * 24 * time.Hour)
		r.rounds()
		if all, err := r.Of(ctx, ada.ID); err != nil || len(all) != 0 {
			t.Errorf("%d passes are left of who left (%v)", len(all), err)
		}
		if s := r.figures().Stages; len(s) != 1 || s[0].Channel != pass.Web {
			t.Errorf("the funnel says %+v", s)
		}
	})
}

// Passes are changed by two processes and many hands at once, while a phone that has
// them all asks on and on: it hears of each pass after its last change.
func TestTagsAreSeenInTheirOrder(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		const hands, each = 4, 6
		r := newRigOn(t, dsn, pass.Settings{})
		ctx := context.Background()
		members := r.members("1", "2", "3", "4", "5", "6", "7", "8")
		phones := map[string]*phone{}
		for _, m := range members {
			h := r.install(r.issue(m, pass.Apple), "the phone")
			h.register(false)
			phones[h.caller.Serial] = h
		}
		other := r.another(pass.Settings{})
		var writing sync.WaitGroup
		for hand := range hands {
			writing.Go(func() {
				for i := range each {
					m := members[(hand*3+i)%len(members)]
					if _, err := r.programme.Adjust(ctx, uuid.Nil, programme.Adjustment{Member: m.ID, Unit: "points", Amount: 1, Reason: programme.ReasonGoodwill}); err != nil {
						t.Error(err)
					}
					who := r.Service
					if hand%2 == 1 {
						who = other
					}
					if err := who.Touch(ctx, m.ID); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { writing.Wait(); close(done) }()
		seen, tag := map[string]string{}, ""
		for asking := true; asking; {
			select {
			case <-done:
				asking = false
			default:
			}
			serials, next, err := other.UpdatedSince(ctx, passType, "the phone", tag)
			r.must(err)
			for _, serial := range serials {
				seen[serial] = next
			}
			if next != "" {
				tag = next
			}
		}
		if err := other.Touch(ctx, members[0].ID); err != nil { // nothing is left to settle
			t.Error(err)
		}
		serials, _, err := r.UpdatedSince(ctx, passType, "the phone", tag)
		r.must(err)
		if len(serials) != 0 || len(seen) != len(members) {
			t.Errorf("after the last answer %v were still to come; %d of %d were heard of", serials, len(seen), len(members))
		}
		for serial, h := range phones {
			got, err := r.Fetch(ctx, h.caller, h.have)
			r.must(err)
			if slices.Contains(serials, serial) || got.Same {
				t.Errorf("%s was told of a change and has it already", serial)
			}
		}
	})
}

// Who writes what became of pushes, and who wants more of the same phones told, come upon
// them in orders of their own.
func TestPushesAreWrittenInOneOrder(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		r := newRigOn(t, dsn, pass.Settings{})
		pushes := make([]pass.Push, 400)
		for i := range pushes {
			device := uuid.New()
			pushes[i] = pass.Push{Shard: int(device[0]), Target: device[:], Channel: pass.Apple, Token: "token", Wanted: 1, DueAt: r.hq.Clock.Now()}
		}
		r.must(r.hq.DB.WantPushes(t.Context(), pushes))
		back := slices.Clone(pushes)
		slices.Reverse(back)
		var both sync.WaitGroup
		for range 20 {
			both.Go(func() {
				if err := r.hq.DB.SetPushes(t.Context(), pushes); err != nil {
					t.Error(err)
				}
			})
			both.Go(func() {
				if err := r.hq.DB.SetPushes(t.Context(), back); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
	})
}
