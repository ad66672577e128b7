package phones

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
)

// Office is the HQ whose passes the phones hold. Serials name passes.
type Office interface {
	// Issue makes n passes of members of their own and hands each to give, several at a
	// time if it likes.
	Issue(ctx context.Context, n int, give func(pass []byte) error) error
	// Change changes what these passes show, and returns when HQ has said that it will.
	Change(ctx context.Context, serials []string) error
	// Touch changes something that has HQ look at all passes and that none of them shows.
	Touch(ctx context.Context) error
	// Want is what a pass must show in the end.
	Want(serial string) string
	// Restart kills HQ and starts it again.
	Restart(ctx context.Context) error
}

// Story is what happens to the phones.
type Story struct {
	// Phones is how many there are; every tenth pass is on two of them.
	Phones int
	// Waves is how often all passes change on Apple's bad day; in the middle of each, HQ is killed.
	Waves int
	// Trouble is how often in a row Apple fails a phone on its bad day; 0 means once.
	Trouble int
	// Patience is how long nothing may move before an update counts as lost.
	Patience time.Duration
	// Tell hears of the progress. May be nil.
	Tell func(format string, args ...any)
}

// Play tells the story, up to the first step in which HQ did wrong: that is in the fleet's
// violations. It returns an error when the story could not be told.
func (s Story) Play(ctx context.Context, f *Fleet, o Office) error {
	if s.Tell == nil {
		s.Tell = func(string, ...any) {}
	}
	t := &telling{Story: s, fleet: f, office: o, random: rand.New(rand.NewPCG(uint64(s.Phones), 7))}
	for _, step := range []struct {
		name string
		play func(context.Context) error
	}{
		{"install", t.install},
		{"change on a good day", t.goodDay},
		{"change what no pass shows", t.touch},
		{"change on a bad day, with restarts", t.badDays},
		{"delete passes", t.deleted},
	} {
		began := time.Now()
		if err := step.play(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		n := f.Figures()
		s.Tell("%-36s %7.1f s  pushes %d, lists %d, fetches %d, not modified %d, retries %d, violations %d",
			step.name, time.Since(began).Seconds(), n.Pushes, n.Lists, n.Fetches, n.Unchanged, n.Retries, len(f.Violations()))
		if len(f.Violations()) > 0 {
			return nil // what comes after would only say it again
		}
	}
	return nil
}

// telling is a story being told.
type telling struct {
	Story
	fleet   *Fleet
	office  Office
	random  *rand.Rand
	serials []string
}

// install issues the passes and puts them on phones; every tenth is on a second one.
func (t *telling) install(ctx context.Context) error {
	passes := t.Phones - t.Phones/11 // a tenth of them twice
	var mu sync.Mutex
	var twice [][]byte
	err := t.office.Issue(ctx, passes, func(pass []byte) error {
		p, err := t.fleet.Install(ctx, pass)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		for serial := range p.Shows() {
			t.serials = append(t.serials, serial)
		}
		if len(twice) < t.Phones-passes {
			twice = append(twice, pass)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, pass := range twice {
		if _, err := t.fleet.Install(ctx, pass); err != nil {
			return err
		}
	}
	return t.settle(ctx)
}

func (t *telling) settle(ctx context.Context) error {
	return t.fleet.Settle(ctx, t.Patience, t.office.Want)
}

// change changes what passes show and waits until phones show it.
func (t *telling) change(ctx context.Context, serials ...string) error {
	if err := t.office.Change(ctx, serials); err != nil {
		return err
	}
	return t.settle(ctx)
}

func (t *telling) goodDay(ctx context.Context) error { return t.change(ctx, t.serials...) }

// touch: what no pass shows is pushed to nobody. HQ works in rounds, so when the second of
// two changes is on its phone, the round that saw the first one is over.
func (t *telling) touch(ctx context.Context) error {
	if err := t.office.Touch(ctx); err != nil {
		return err
	}
	before := t.fleet.Figures()
	for _, one := range t.serials[len(t.serials)-2:] { // on one phone each
		if err := t.change(ctx, one); err != nil {
			return err
		}
	}
	after := t.fleet.Figures()
	if needless := after.Pushes - before.Pushes - 2; needless > 0 {
		t.fleet.violate(&Phone{}, "", fmt.Sprintf("%d needless pushes: nothing that a pass shows had changed", needless))
	}
	return nil
}

// badDays changes all passes while Apple is in trouble, phones change, and HQ is killed.
func (t *telling) badDays(ctx context.Context) error {
	defer t.fleet.double.Decide(nil)
	for n := range t.Waves {
		t.fleet.double.Decide(badDay(uint64(n), max(t.Trouble, 1)))
		half := len(t.serials) / 2
		if err := t.office.Change(ctx, t.serials[:half]); err != nil {
			return err
		}
		churned := make(chan error, 1)
		go func() { churned <- t.churn(ctx) }()
		if err := t.office.Restart(ctx); err != nil {
			return err
		}
		err := t.office.Change(ctx, t.serials[half:])
		if churn := <-churned; err == nil {
			err = churn
		}
		if err != nil {
			return err
		}
		if err := t.settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// badDay has one phone in ten meet trouble, up to so many times in a row.
func badDay(seed uint64, trouble int) func(int, string) apnsdouble.Answer {
	random := rand.New(rand.NewPCG(seed, 13)) // the double asks one at a time
	left := map[string]int{}
	return func(_ int, token string) apnsdouble.Answer {
		if _, known := left[token]; !known {
			left[token] = 0
			if random.IntN(10) == 0 {
				left[token] = 1 + random.IntN(trouble)
			}
		}
		if left[token] == 0 {
			return apnsdouble.Deliver()
		}
		left[token]--
		switch n := random.IntN(20); {
		case n < 8:
			return apnsdouble.TooMany("1")
		case n < 18:
			return apnsdouble.Broken()
		case n < 19:
			return apnsdouble.GoAway()
		}
		return apnsdouble.GoAwayLost()
	}
}

// churn has one phone in ten change its token, and one in ten set up anew.
func (t *telling) churn(ctx context.Context) error {
	for _, p := range t.fleet.Phones() {
		var err error
		switch t.random.IntN(10) {
		case 0:
			err = p.ChangeToken(ctx)
		case 1:
			err = p.Reinstall(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// deleted: phones without passes are not told of later changes.
func (t *telling) deleted(ctx context.Context) error {
	for i, p := range t.fleet.Phones() {
		if i%5 == 0 {
			if err := p.Delete(ctx); err != nil {
				return err
			}
		}
	}
	before := t.fleet.Figures().Stray
	for _, serials := range [][]string{t.serials, t.serials[len(t.serials)-2 : len(t.serials)-1]} {
		if err := t.change(ctx, serials...); err != nil {
			return err
		}
	}
	if stray := t.fleet.Figures().Stray - before; stray > 0 {
		t.fleet.violate(&Phone{}, "", fmt.Sprintf("%d pushes to phones that had deleted their passes", stray))
	}
	return nil
}
