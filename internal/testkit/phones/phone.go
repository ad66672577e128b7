package phones

import (
	"context"
	"crypto/sha1"
	"fmt"
	"sync"
	"time"
)

// held is a pass on a phone: only what it needs again, since there may be 100,000.
type held struct {
	serial, token, service string

	modified string
	shows    string          // see Options.Shows
	says     [sha1.Size]byte // digest of what it says
}

// Phone is one simulated iPhone. Its methods are for one goroutine at a time, except
// that a push may arrive at any moment.
type Phone struct {
	fleet *Fleet
	name  int

	// mu is held while the phone asks the service, as passd does one thing at a time.
	mu      sync.Mutex
	device  string
	push    string
	tag     string
	passes  map[string]*held // by serial
	deleted bool             // its passes were deleted

	wake sync.Mutex
	due  bool // a push came that the phone has not asked about
	busy bool // queued, or asking
}

// arrived is a push: the phone will ask what is new.
func (p *Phone) arrived() {
	p.fleet.count(func(f *Figures) { f.Pushes++ })
	p.wake.Lock()
	defer p.wake.Unlock()
	p.due = true
	if !p.busy {
		p.busy = true
		p.fleet.queue(p)
	}
}

// next says whether there is a push to ask about, and if not lets the phone sleep.
func (p *Phone) next() bool {
	p.wake.Lock()
	defer p.wake.Unlock()
	due := p.due
	p.due, p.busy = false, due
	return due
}

// update asks what is new since the phone's tag and fetches that. The tag moves only
// after all has been fetched, so that a phone that is cut off asks again.
func (p *Phone) update(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.fleet
	if p.deleted {
		f.count(func(f *Figures) { f.Stray++ })
		return nil
	}
	var serials []string
	var tag string
	err := f.insist(ctx, func() (err error) {
		serials, tag, err = f.service.list(ctx, p.device, f.passType, p.tag)
		return err
	})
	if err != nil {
		return err
	}
	f.count(func(f *Figures) {
		f.Lists++
		if len(serials) == 0 {
			f.Empty++
		}
	})
	for _, serial := range serials {
		have := p.passes[serial]
		if have == nil {
			f.violate(p, serial, "list: the phone has no such pass")
			continue
		}
		if err := p.fetch(ctx, have); err != nil {
			return err
		}
	}
	p.tag = tag
	return nil
}

// fetch brings one pass up to date.
func (p *Phone) fetch(ctx context.Context, have *held) error {
	f := p.fleet
	var got fetched
	err := f.insist(ctx, func() (err error) {
		got, err = f.service.fetch(ctx, f.passType, have.serial, have.token, have.modified)
		return err
	})
	if err != nil {
		return fmt.Errorf("pass %s: %w", have.serial, err)
	}
	if got.raw == nil {
		f.count(func(f *Figures) { f.Unchanged++ })
		return nil
	}
	fresh, err := f.read(got.raw)
	switch {
	case err != nil:
		return fmt.Errorf("pass %s: %w", have.serial, err)
	case fresh.serial != have.serial:
		return fmt.Errorf("pass %s: the service sent %s", have.serial, fresh.serial)
	case fresh.token != have.token:
		return fmt.Errorf("pass %s: its token changed", have.serial)
	case fresh.says == have.says && have.modified != "":
		// A phone that never fetched this pass has no date to ask with, so it may get it again.
		return fmt.Errorf("pass %s: needless fetch: it says what it said", have.serial)
	}
	have.modified, have.shows, have.says = got.modified, fresh.shows, fresh.says
	f.count(func(f *Figures) {
		f.Fetches++
		f.Bytes += int64(len(got.raw))
	})
	return nil
}

// registerAll registers all passes of the phone with its push token.
func (p *Phone) registerAll(ctx context.Context) error {
	f := p.fleet
	for serial, have := range p.passes {
		err := f.insist(ctx, func() error {
			_, err := f.service.register(ctx, p.device, f.passType, serial, have.token, p.push)
			return err
		})
		if err != nil {
			return fmt.Errorf("pass %s: %w", serial, err)
		}
		f.count(func(f *Figures) { f.Registrations++ })
	}
	return nil
}

// install puts a pass on the phone and registers for its updates.
func (p *Phone) install(ctx context.Context, raw []byte) error {
	have, err := p.fleet.read(raw)
	if err != nil {
		return err
	}
	if have.service == "" {
		return fmt.Errorf("pass %s: it has no web service", have.serial)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passes[have.serial] = have
	return p.registerAll(ctx)
}

// ChangeToken is what iOS does now and then: the phone has a new push token, the old one
// is gone at Apple, and the phone says so to the service.
func (p *Phone) ChangeToken(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	old := p.push
	p.push = p.fleet.token()
	p.fleet.double.Phone(p.push, p.arrived)
	p.fleet.double.Retire(old)
	p.fleet.count(func(f *Figures) { f.TokenChanges++ })
	return p.registerAll(ctx)
}

// Reinstall sets the phone up anew from a backup: the passes are there as they were, the
// device id and the push token are new, and no tag is known.
func (p *Phone) Reinstall(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fleet.double.Retire(p.push)
	p.device, p.push, p.tag = p.fleet.deviceID(), p.fleet.token(), ""
	p.fleet.double.Phone(p.push, p.arrived)
	p.fleet.count(func(f *Figures) { f.Reinstalls++ })
	if err := p.registerAll(ctx); err != nil {
		return err
	}
	p.arrived() // Wallet looks at restored passes once
	return nil
}

// Delete deletes all passes of the phone.
func (p *Phone) Delete(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for serial, have := range p.passes {
		err := p.fleet.insist(ctx, func() error {
			return p.fleet.service.unregister(ctx, p.device, p.fleet.passType, serial, have.token)
		})
		if err != nil {
			return fmt.Errorf("pass %s: %w", serial, err)
		}
	}
	p.deleted = true
	p.fleet.count(func(f *Figures) { f.Deletions++ })
	return nil
}

// Shows returns what each pass of the phone shows, by serial; nil once it has none.
func (p *Phone) Shows() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deleted {
		return nil
	}
	out := map[string]string{}
	for serial, have := range p.passes {
		out[serial] = have.shows
	}
	return out
}

// pause is how long a phone waits before it tries again the n-th time.
func pause(n int, asked time.Duration) time.Duration {
	return max(asked, min(50*time.Millisecond<<min(n, 5), time.Second))
}
