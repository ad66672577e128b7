package lan_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
)

// The shape of a round: a holding that is asked for several times over.
const (
	holdingPoints = 4000
	rewardCost    = 100
	clerks        = 2 // at each lane at once
	basketsEach   = 12
)

// verb is what is asked of the holding.
type verb uint8

const (
	spend verb = iota
	undo       // a void at the lane that holds the right: what it took is there again
)

// need is what a clerk wants of the one holding of the store.
type need struct {
	verb   verb
	lane   int // 0 holds the right
	amount int64
}

// outcome is what the clerk learnt.
type outcome uint8

const (
	done    outcome = iota
	refused         // too little is left; nothing stood in the way of asking
	cutOff          // refused, and a lane could not be asked, or its answer was lost
	unheard         // the lane died in the call, and its journal does not have the sale
)

// holding is the specification: N points in one place, and what lanes have borrowed,
// received and not spent since they died in between.
type holding struct {
	left   int64
	pocket [storeLanes]int64
}

// steps are the states that an answer may lead to; none: the answer is wrong. A spend is
// done if and only if it is covered. A lane that is told no has borrowed what there was
// and given it up, which goes to HQ. What was asked for in vain may be lost or not.
func (h holding) steps(a need, o outcome) []holding {
	if a.verb == undo {
		h.left += a.amount
		return []holding{h}
	}
	var out []holding
	for _, own := range slices.Compact([]int64{0, min(h.pocket[a.lane], a.amount)}) {
		short := a.amount - own
		take := min(short, h.left)
		next := h
		switch o {
		case done:
			if short > h.left {
				continue
			}
			next.left -= short
			next.pocket[a.lane] -= own
			out = append(out, next)
		case refused:
			if short <= h.left {
				continue
			}
			if a.lane != 0 {
				next.left = 0
			}
			out = append(out, next)
		case unheard:
			next.pocket[a.lane] += take
			out = append(out, next)
			fallthrough
		case cutOff:
			next = h
			out = append(out, next)
			next.left -= take
			out = append(out, next)
		}
	}
	return out
}

var holdingModel = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{holding{left: holdingPoints}} },
	Step: func(state, input, output any) []any {
		var out []any
		for _, next := range state.(holding).steps(input.(need), output.(outcome)) {
			out = append(out, next)
		}
		return out
	},
}).ToModel

// history is what was asked and answered in a round.
type history struct {
	began time.Time
	mu    sync.Mutex
	ops   []porcupine.Operation
}

func (h *history) now() int64 { return int64(time.Since(h.began)) }

// open is the end of a call whose effect may still come.
const open = math.MaxInt64

func (h *history) add(clerk int, a need, o outcome, call, end int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: clerk, Input: a, Output: o, Call: call, Return: end})
}

// clerk sells at one lane, one basket after the other.
type clerk struct {
	*history
	no   int
	at   *lane
	dice *rand.Rand
}

func (c *clerk) work(ctx context.Context, t *testing.T, pass func()) {
	for n := range basketsEach {
		key := fmt.Sprintf("clerk %d basket %d", c.no, n)
		a := need{spend, c.at.no, rewardCost * (1 + c.dice.Int64N(3))}
		sold := c.sell(ctx, t, a, key)
		if sold && c.at.no == 0 && c.dice.IntN(4) == 0 {
			a.verb = undo
			call := c.now()
			err := c.at.call(ctx, func(on *till.Till) error {
				_, err := on.Void(ctx, till.Void{SaleKey: key, Key: "void " + key})
				return err
			}, nil)
			if err != nil {
				t.Errorf("void: %v", err)
			}
			c.add(c.no, a, done, call, c.now())
		}
		if n == basketsEach/2 { // every clerk at another moment
			pass()
		}
	}
}

// sell asks until it is answered, under one key, and notes what it learns.
func (c *clerk) sell(ctx context.Context, t *testing.T, a need, key string) bool {
	commit := tilltest.Commit(key, c.at.buy(a.amount))
	first := c.now()
	died := 0 // how often the lane died in the call
	var sale till.Sale
	var call int64
	var on *trace
	err := c.at.call(ctx, func(now *till.Till) (err error) {
		on, call = &trace{}, c.now()
		sale, err = now.Commit(on.in(ctx), commit)
		return err
	}, func() { died++ })
	end := c.now()
	if err == nil && sale.Replayed {
		call, died = first, died-1
	}
	if a.lane != 0 { // the holder's lane asks nobody: without a sale it took nothing
		for range died {
			c.add(c.no, a, unheard, first, open)
		}
	}
	switch code := problem.CodeOf(err); {
	case err == nil:
		c.add(c.no, a, done, call, end)
	case code != problem.StandInOff:
		t.Errorf("lane %d: %v", a.lane, err)
	case a.lane == 0 || on.answered == 1 && !on.lost:
		c.add(c.no, a, refused, call, end)
	default:
		c.add(c.no, a, cutOff, call, end)
	}
	return err == nil
}

// round plays lanes with a broken or a sound till and returns what porcupine says of it.
func round(t *testing.T, seed uint64, mutant till.Mutant) (porcupine.CheckResult, []porcupine.Operation) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := newLanes(t, seed, mutant)
	supervised := s.supervise(ctx, t)
	h := &history{began: time.Now()}
	var clerksDone sync.WaitGroup
	for i := range storeLanes * clerks {
		c := &clerk{history: h, no: i, at: s.lanes[i%storeLanes], dice: rand.New(rand.NewPCG(seed, uint64(100+i)))}
		clerksDone.Go(func() { c.work(ctx, t, s.pass) })
	}
	clerksDone.Wait()
	cancel()
	supervised.Wait()
	s.stop()
	slices.SortFunc(h.ops, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
	return porcupine.CheckOperationsTimeout(holdingModel(), h.ops, 10*time.Second), h.ops
}

// Spending one right from many lanes looks like spending from one holding, one after the
// other: with lost and repeated answers, and lanes that die and start again in between.
func TestG2_SpendingFromManyLanesIsLinearizable(t *testing.T) {
	began, rounds, ops, seen := time.Now(), 0, 0, [4]int{}
	for ; rounds < 2 || rounds < 20 && time.Since(began) < 4*time.Second; rounds++ {
		verdict, history := round(t, uint64(rounds), till.MutantNone)
		if verdict != porcupine.Ok {
			t.Fatalf("round %d: %s\n%s", rounds, verdict, told(history))
		}
		ops += len(history)
		for _, op := range history {
			seen[op.Output.(outcome)]++
		}
	}
	t.Logf("%d rounds, %d calls: %d done, %d refused, %d cut off, %d unheard; %s", rounds, ops,
		seen[done], seen[refused], seen[cutOff], seen[unheard], time.Since(began).Round(time.Millisecond))
	if seen[done] == 0 || seen[refused] == 0 || seen[cutOff] == 0 {
		t.Error("the rounds show too little")
	}
}

// The same rounds find a lender that takes loans back by a timer, and one that has
// forgotten after a restart what it lent.
func TestLinearizabilityFindsBrokenLenders(t *testing.T) {
	for name, mutant := range map[string]till.Mutant{
		"frees loans by a timer": till.MutantFreeLoans, "forgets what it lent": till.MutantForgetSpent,
	} {
		t.Run(name, func(t *testing.T) {
			for n := range uint64(12) {
				if verdict, _ := round(t, n, mutant); verdict == porcupine.Illegal {
					t.Logf("found in round %d", n)
					return
				}
			}
			t.Error("not found in 12 rounds")
		})
	}
}

// told writes a history down.
func told(ops []porcupine.Operation) string {
	out := ""
	for _, op := range ops {
		a := op.Input.(need)
		out += fmt.Sprintf("%8.3f to %8.3f ms  lane %d %s %d: %s\n", float64(op.Call)/1e6, float64(op.Return)/1e6, a.lane,
			[...]string{"spend", "undo"}[a.verb], a.amount, [...]string{"done", "refused", "cut off", "unheard"}[op.Output.(outcome)])
	}
	return out
}

// wish is points for a reward that costs rewardCost.
func wish(r loyalty.Reward, amount int64) []loyalty.Wish {
	return []loyalty.Wish{{Reward: r.ID, Times: amount / rewardCost}}
}
