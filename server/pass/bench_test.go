package pass_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/server/programme"
)

// crowd is many members with a pass of Apple on a phone each.
func crowd(b *testing.B, n int) (*rig, []programme.Member, []*phone) {
	b.Helper()
	r := newRig(b)
	var names []string
	for i := range n {
		names = append(names, fmt.Sprint("m", i))
	}
	members := r.members(names...)
	var on []*phone
	for i, m := range members {
		on = append(on, r.install(r.issue(m, pass.Apple), fmt.Sprint("phone ", i)))
	}
	r.rounds()
	return r, members, on
}

func (r *rig) giveAll(members []programme.Member) {
	r.t.Helper()
	r.must(r.hq.DB.InTx(context.Background(), func(ctx context.Context) error {
		for _, m := range members {
			if _, err := r.programme.Adjust(ctx, uuid.Nil, programme.Adjustment{Member: m.ID, Unit: "points", Amount: 1, Reason: programme.ReasonGoodwill}); err != nil {
				return err
			}
		}
		return nil
	}))
	r.hq.Clock.Advance(time.Minute)
}

// BenchmarkNotice is what it costs a member to find that their pass says something else
// and to put the phone into the queue.
func BenchmarkNotice(b *testing.B) {
	const n = 1000
	r, members, _ := crowd(b, n)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		r.giveAll(members)
		b.StartTimer()
		for more := true; more; {
			var err error
			if more, err = r.Round(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/pass")
}

// BenchmarkPushed is a round of pushes, without the network.
func BenchmarkPushed(b *testing.B) {
	const n = 1000
	r, members, _ := crowd(b, n)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		r.giveAll(members)
		for more := true; more; {
			var err error
			if more, err = r.Round(context.Background()); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := r.PushRound(context.Background(), pass.Apple); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/phone")
}

// BenchmarkFetchChanged is a list and a fetch of a changed pass, without the signature.
func BenchmarkFetchChanged(b *testing.B) {
	const n = 1000
	r, members, on := crowd(b, n)
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		r.giveAll(members)
		r.rounds()
		b.StartTimer()
		for _, h := range on {
			h.update()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/fetch")
}

// BenchmarkFetchSame is a fetch of a pass that has not changed.
func BenchmarkFetchSame(b *testing.B) {
	r, _, on := crowd(b, 1)
	on[0].update()
	b.ResetTimer()
	for range b.N {
		if got, err := r.Fetch(context.Background(), on[0].caller, on[0].have); err != nil || !got.Same {
			b.Fatal(err)
		}
	}
}
