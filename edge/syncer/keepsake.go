package syncer

import (
	"time"

	"github.com/tallystick/tallystick/sync/wire"
)

// Keepsakes is what a terminal keeps for an HQ that has lost it: bytes that HQ
// sealed, shown again in each hello. It is safe for concurrent use.
type Keepsakes interface {
	// Enrolment is a wire.Enrolled, Witness a wire.Heads; empty when there is none.
	Enrolment() []byte
	Witness() []byte
	// Keep takes new ones, empty for what stays.
	Keep(enrolment, witness []byte)
}

// headsEvery is how often HQ is asked how far its own journal has come.
const headsEvery = time.Minute

func (s *Service) enrolment() []byte {
	if s.cfg.Kept == nil {
		return nil
	}
	return s.cfg.Kept.Enrolment()
}

func (s *Service) witness() []byte {
	if s.cfg.Kept == nil {
		return nil
	}
	return s.cfg.Kept.Witness()
}

func (s *Service) keep(enrolment, witness []byte) {
	if s.cfg.Kept != nil && len(enrolment)+len(witness) > 0 {
		s.cfg.Kept.Keep(enrolment, witness)
	}
}

// heads is what is kept of HQ's heads, if HQ has signed it.
func (s *Service) heads() (wire.Heads, bool) {
	raw := s.witness()
	signed, err := wire.Unmarshal[wire.Signed](raw)
	if len(raw) == 0 || err != nil {
		return wire.Heads{}, false
	}
	claim, err := wire.Unmarshal[wire.Heads](signed.Payload)
	if err != nil {
		return wire.Heads{}, false
	}
	heads, err := wire.Open[wire.Heads](raw, wire.DomainHeads, s.cfg.Till.Keys(), time.UnixMilli(claim.At))
	return heads, err == nil
}

// witnessedAt is the latest time HQ has signed, as far as it was kept over a restart.
func (s *Service) witnessedAt() time.Time {
	heads, ok := s.heads()
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(heads.At)
}

// wantsHeads reports whether what is kept has grown old.
func (s *Service) wantsHeads() bool {
	return s.cfg.Kept != nil && s.welcomed.Load() != 0 && s.floor.At().Sub(s.witnessedAt()) >= headsEvery
}
