package pass

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
)

// Fetched is a pass as a phone gets it. Body is empty when it has this one already.
type Fetched struct {
	Body     []byte
	Modified time.Time // whole seconds
	Same     bool
}

// Fetch returns a pass to a phone that has one from a time (zero for none). What is not
// later than that is not made. A pass is signed when its content is first asked for, and
// kept.
func (s *Service) Fetch(ctx context.Context, c Caller, have time.Time) (Fetched, error) {
	p, err := s.Look(ctx, c)
	if err != nil {
		return Fetched{}, err
	}
	if s.Has(p, have) {
		s.fetched(p)
		return Fetched{Modified: p.Modified, Same: true}, nil
	}
	body, p, err := s.body(ctx, p)
	if err != nil {
		return Fetched{}, err
	}
	s.fetched(p)
	return Fetched{Body: body, Modified: p.Modified}, nil
}

// Has says whether a phone that has a pass from a time (zero for none) has it as it is. A
// head office that was restored may have handed out later ones, which it knows nothing of:
// then only the very same time is the same pass.
func (s *Service) Has(p Pass, have time.Time) bool {
	if s.o.HQEpoch > 1 && have.After(p.Modified) {
		return false
	}
	return !have.IsZero() && !p.Modified.After(have)
}

// Look is what Fetch says of a pass without its body: for HEAD. Nothing is made.
func (s *Service) Look(ctx context.Context, c Caller) (Pass, error) {
	p, err := s.authorise(ctx, c)
	if err != nil || len(p.Digest) > 0 {
		return p, err
	}
	return s.look(ctx, p)
}

// look settles one pass and returns it as it is then.
func (s *Service) look(ctx context.Context, p Pass) (Pass, error) {
	if err := s.settle(ctx, []Pass{p}, s.o.Settings.UrgentGap); err != nil {
		return Pass{}, err
	}
	return s.byKey(ctx, p.Key)
}

// fetched notes that a phone has a pass as it is now.
func (s *Service) fetched(p Pass) {
	m := Marks{FetchedAt: s.now(), FetchedTag: p.Tag}
	if !p.CauseAt.IsZero() {
		m.Lag = max(m.FetchedAt.Sub(p.CauseAt), time.Millisecond)
	}
	s.marks.add(p.Key, m)
}

// body returns the signed pass, from the cache when that content was signed before. The
// pass comes back as it stands with that body.
func (s *Service) body(ctx context.Context, p Pass) ([]byte, Pass, error) {
	if len(p.Digest) == 32 {
		if body, ok := s.cache.get(contentOf(p)); ok {
			return body, p, nil
		}
	}
	c, p, err := s.cardFrom(ctx, p)
	if err != nil {
		return nil, Pass{}, err
	}
	if body, ok := s.cache.get(contentOf(p)); ok {
		return body, p, nil
	}
	body, err := s.o.Apple.Pass(c)
	if err != nil {
		return nil, Pass{}, fmt.Errorf("make pass: %w", err)
	}
	s.signed.Add(1)
	s.cache.put(contentOf(p), body)
	return body, p, nil
}

func contentOf(p Pass) content { return content{p.Key, [32]byte(p.Digest), p.Brand} }

// card makes what a phone shows of a pass, and returns the pass as it stands with that:
// when it says something else than was last known, that is settled first.
func (s *Service) card(ctx context.Context, k Key) (Card, Pass, error) {
	p, err := s.byKey(ctx, k)
	if err != nil {
		return Card{}, Pass{}, err
	}
	return s.cardFrom(ctx, p)
}

// cardFrom is card of a pass that was just read.
func (s *Service) cardFrom(ctx context.Context, p Pass) (Card, Pass, error) {
	for range maxTries {
		cat, err := s.catalogue(ctx)
		if err != nil {
			return Card{}, Pass{}, err
		}
		look, err := s.o.Branding.Current(ctx)
		if err != nil {
			return Card{}, Pass{}, fmt.Errorf("read brand: %w", err)
		}
		drafts, err := s.drafts(ctx, cat, []Pass{p})
		if err != nil {
			return Card{}, Pass{}, err
		}
		if drafts[0].moving {
			return Card{}, Pass{}, problem.New(problem.Unavailable, "the voucher is on its way to another account; try again in a moment")
		}
		if changedBy(drafts[0], look.Version) {
			if err := s.settle(ctx, []Pass{p}, s.o.Settings.UrgentGap); err != nil {
				return Card{}, Pass{}, err
			}
			if p, err = s.byKey(ctx, p.Key); err != nil {
				return Card{}, Pass{}, err
			}
			continue
		}
		c, err := s.cardOf(drafts[0], look)
		return c, p, err
	}
	return Card{}, Pass{}, errors.New("make card: the pass changes all the time")
}

func (s *Service) cardOf(d draft, look brand.Brand) (Card, error) {
	f, err := s.finish(d)
	if err != nil {
		return Card{}, err
	}
	return Card{Serial: d.pass.Serial(), Token: token(s.o.Secret, d.pass.Key), Face: f, Brand: look}, nil
}

// GoogleLink issues a member's pass at Google, has its object made there, and returns the
// address at which it is saved.
func (s *Service) GoogleLink(ctx context.Context, member uuid.UUID) (string, error) {
	p, err := s.Issue(ctx, member, Google)
	if err != nil {
		return "", err
	}
	return s.saveLink(ctx, p)
}

// GoogleVoucherLink does it for a voucher that is to stand for itself.
func (s *Service) GoogleVoucherLink(ctx context.Context, member, voucher uuid.UUID) (string, error) {
	p, err := s.IssueVoucher(ctx, member, voucher, Google)
	if err != nil {
		return "", err
	}
	return s.saveLink(ctx, p)
}

// SaveAddress is where a shopper saves a pass that was issued at Google. Its object is on
// its way there: nobody waits for Google.
func (s *Service) SaveAddress(ctx context.Context, p Pass) (string, error) {
	c, _, err := s.card(ctx, p.Key)
	if err != nil {
		return "", err
	}
	return s.o.Google.Link(c.Serial, c.Face.Kind)
}

func (s *Service) saveLink(ctx context.Context, p Pass) (string, error) {
	c, p, err := s.card(ctx, p.Key)
	if err != nil {
		return "", err
	}
	if r := s.o.Google.Put(ctx, c); r.Outcome != Done {
		return "", problem.Newf(problem.Unavailable, "Google Wallet did not take the pass: %s", r.Reason)
	}
	s.marks.add(p.Key, Marks{PushedAt: s.now()})
	return s.o.Google.Link(c.Serial, c.Face.Kind)
}

// Saved notes what a channel tells of a pass: that a phone has it, or has it no more.
// What is unknown is problem.NotFound.
func (s *Service) Saved(ctx context.Context, serial string, has bool) error {
	k, ok := ParseSerial(serial)
	if !ok {
		return problem.New(problem.NotFound, "no such pass")
	}
	err := s.alter(ctx, []Key{k}, func(p *Pass) bool {
		was := p.State
		switch {
		case has && was == Issued:
			p.State = Installed
		case !has && was == Installed:
			p.State = Issued
		}
		return p.State != was
	})
	if err != nil {
		return fmt.Errorf("note saved pass: %w", err)
	}
	if has {
		s.marks.add(k, Marks{InstalledAt: s.now()})
	}
	return nil
}
