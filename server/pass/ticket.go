package pass

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

// A ticket is the right to download passes for a quarter of an hour: handed to a browser
// that shows the member's card, or printed nowhere else. It names the passes and the end,
// under a MAC. It works more than once, since phones ask twice for what they install.
const (
	ticketLife = 15 * time.Minute
	macSize    = 16
	keySize    = 17
	// MaxBundle is how many passes one ticket names, as many as Apple takes at once.
	MaxBundle = 10
)

// Ticket returns the text that stands for passes of Apple. It goes into the address
// /wallet/apple/passes/{ticket}.
func (s *Service) Ticket(passes ...Pass) (string, error) {
	if len(passes) == 0 || len(passes) > MaxBundle {
		return "", problem.Newf(problem.InvalidField, "a ticket names 1 to %d passes", MaxBundle)
	}
	raw := binary.BigEndian.AppendUint64(nil, uint64(s.now().Add(ticketLife).Unix()))
	for _, p := range passes {
		raw = append(append(raw, byte(p.Shard)), p.ID[:]...)
	}
	return base64.RawURLEncoding.EncodeToString(append(raw, s.ticketMAC(raw)...)), nil
}

func (s *Service) ticketMAC(raw []byte) []byte {
	mac := hmac.New(sha256.New, s.o.Secret)
	mac.Write([]byte("apple pass ticket v1\x00"))
	mac.Write(raw)
	return mac.Sum(nil)[:macSize]
}

// readTicket returns the passes of a ticket that is good now.
func (s *Service) readTicket(text string) ([]Key, error) {
	dead := problem.New(problem.NotFound, "the link has run out; open the card again")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	n := len(raw) - 8 - macSize
	if err != nil || n < keySize || n > MaxBundle*keySize || n%keySize != 0 {
		return nil, dead
	}
	body := raw[:len(raw)-macSize]
	if !hmac.Equal(s.ticketMAC(body), raw[len(body):]) || uint64(s.now().Unix()) >= binary.BigEndian.Uint64(body) {
		return nil, dead
	}
	var keys []Key
	for at := 8; at < len(body); at += keySize {
		k := Key{Shard: int(body[at])}
		copy(k.ID[:], body[at+1:])
		keys = append(keys, k)
	}
	return keys, nil
}

// Downloaded is what a ticket stands for: one pass, or several as a bundle. Modified is
// of the one that changed last.
type Downloaded struct {
	Body     []byte
	Bundle   bool
	Modified time.Time
}

// Download returns what a ticket stands for.
func (s *Service) Download(ctx context.Context, ticket string) (Downloaded, error) {
	var out Downloaded
	if s.o.Apple == nil {
		return out, problem.New(problem.NotFound, "there are no passes of Apple Wallet here")
	}
	keys, err := s.readTicket(ticket)
	if err != nil {
		return out, err
	}
	var bodies [][]byte
	for _, k := range keys {
		p, err := s.byKey(ctx, k)
		if err != nil {
			return out, err
		}
		if p.State == Voided || p.Channel != Apple {
			return out, problem.New(problem.NotFound, "the pass is void; open the card again")
		}
		one, p, err := s.body(ctx, p)
		if err != nil {
			return out, err
		}
		s.fetched(p)
		bodies = append(bodies, one)
		out.Modified = later(out.Modified, p.Modified)
	}
	if out.Body = bodies[0]; len(bodies) == 1 {
		return out, nil
	}
	out.Bundle = true
	if out.Body, err = s.o.Apple.Bundle(bodies); err != nil {
		return Downloaded{}, fmt.Errorf("bundle passes: %w", err)
	}
	return out, nil
}
