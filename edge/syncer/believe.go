package syncer

import (
	"errors"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/wire"
)

// believe verifies what HQ sealed, and decodes it. Dates of keys are looked at as
// of the till's own time. When that alone fails, the till's clock may be the one
// that is wrong, and then the time the message states counts; but none before the
// latest time HQ has signed so far, or a key that has run out could speak for a
// past in which it had not. stated is in Unix milliseconds.
func believe[T any](s *Service, raw []byte, domain string, stated func(T) int64) (T, error) {
	set := s.cfg.Till.Keys()
	now, _ := s.cfg.Till.Now()
	message, err := wire.Open[T](raw, domain, set, now)
	if errors.Is(err, keys.ErrKeyNotYet) || errors.Is(err, keys.ErrKeyExpired) {
		signed, decodeErr := wire.Unmarshal[wire.Signed](raw)
		if decodeErr != nil {
			return message, decodeErr
		}
		claim, decodeErr := wire.Unmarshal[T](signed.Payload)
		if decodeErr != nil {
			return message, decodeErr
		}
		if at := time.UnixMilli(stated(claim)); !at.Before(s.floor.At()) {
			message, err = wire.Open[T](raw, domain, set, at)
		}
	}
	if err != nil {
		return message, err
	}
	at := time.UnixMilli(stated(message))
	s.floor.Raise(at)
	if said := (wire.Dated{Domain: domain, Sealed: raw}); said.Passable() {
		err = s.cfg.Till.NoteSaid(said, at)
	}
	return message, err
}
