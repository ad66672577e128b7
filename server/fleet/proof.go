package fleet

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/ingest"
	"github.com/tallystick/tallystick/sync/wire"
)

// A nonce names the five minutes it was made in and is good until the end of the
// next five: a captured request can be repeated for at most ten minutes, and all
// that the wire carries may be repeated without effect.
const nonceStep = 5 * time.Minute

// Nonce returns the nonce of this moment. It is stateless: any HQ process with the
// same key knows it.
func (f *Fleet) Nonce() string {
	return f.nonceOf(f.env.Clock.Now().Unix() / int64(nonceStep/time.Second))
}

func (f *Fleet) nonceOf(step int64) string {
	var at [8]byte
	binary.BigEndian.PutUint64(at[:], uint64(step))
	mac := hmac.New(sha256.New, f.env.NonceKey)
	mac.Write([]byte("tallystick nonce v1\x00"))
	mac.Write(at[:])
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

func (f *Fleet) fresh(nonce string) bool {
	step := f.env.Clock.Now().Unix() / int64(nonceStep/time.Second)
	return hmac.Equal([]byte(nonce), []byte(f.nonceOf(step))) || hmac.Equal([]byte(nonce), []byte(f.nonceOf(step-1)))
}

// Caller is who a proven request came from. Epoch is the one it proved, which may
// be an earlier one of the terminal.
type Caller struct {
	Terminal Terminal
	Epoch    uint32
}

// MayPull is nil when HQ tells the caller anything, or says why not.
func (c Caller) MayPull() error {
	switch {
	case c.Terminal.State == StateRevoked:
		return problem.New(problem.TerminalRevoked, "the terminal may still deliver its journal")
	case c.Terminal.State != StateEnrolled && c.Terminal.State != StateRetiring:
		return problem.New(problem.TerminalQuarantined, "the terminal may still deliver its journal and must enrol again")
	case c.Epoch != c.Terminal.Epoch:
		return problem.Newf(problem.TerminalQuarantined, "epoch %d has ended; the terminal is in epoch %d", c.Epoch, c.Terminal.Epoch)
	}
	return nil
}

// Identify verifies the proof of one request: method, path with query, and body
// exactly as they arrived. An unknown terminal and a wrong signature are both
// problem.ProofInvalid; a missing or old nonce is problem.ProofNonce.
func (f *Fleet) Identify(ctx context.Context, token, method, path string, body []byte) (Caller, error) {
	id, epoch, err := f.prove(ctx, token, func(key ed25519.PublicKey, want wire.Proof) error {
		want.Method, want.Path, want.Body = method, path, body
		return wire.VerifyProof(token, key, want, f.fresh)
	})
	if err != nil {
		return Caller{}, err
	}
	t, err := f.env.Keeper.Terminal(ctx, id)
	if err != nil {
		return Caller{}, fmt.Errorf("find terminal: %w", err)
	}
	return Caller{Terminal: t, Epoch: epoch}, nil
}

// Recognise is nil when the proof of a request is a terminal's, before the body has
// arrived: enough to make room for it, not to believe it.
func (f *Fleet) Recognise(ctx context.Context, token, method, path string) error {
	_, _, err := f.prove(ctx, token, func(key ed25519.PublicKey, want wire.Proof) error {
		want.Method, want.Path = method, path
		return wire.VerifyProofHead(token, key, want, f.fresh)
	})
	return err
}

// prove finds the key that a proof names and has it verified with that.
func (f *Fleet) prove(ctx context.Context, token string, verify func(key ed25519.PublicKey, want wire.Proof) error) (uuid.UUID, uint32, error) {
	id, epoch, err := wire.ProofOf(token)
	if err != nil {
		return id, epoch, err
	}
	key, err := f.env.Keeper.TerminalKey(ctx, id, epoch)
	switch {
	case problem.CodeOf(err) == problem.NotFound:
		return id, epoch, problem.New(problem.ProofInvalid, "the terminal is not known in this epoch")
	case err != nil:
		return id, epoch, fmt.Errorf("find terminal key: %w", err)
	}
	return id, epoch, verify(key, wire.Proof{HQ: f.env.HQ, Terminal: id, Epoch: epoch})
}

// Deliverer is a terminal's epoch as ingest needs it. An epoch that has ended
// delivers like a terminal in quarantine, but for what HQ is known to have had of it
// when it ended. An unknown one is problem.NotEnrolled.
func (f *Fleet) Deliverer(ctx context.Context, id uuid.UUID, epoch uint32) (ingest.Terminal, error) {
	key, err := f.env.Keeper.TerminalKey(ctx, id, epoch)
	if problem.CodeOf(err) == problem.NotFound {
		return ingest.Terminal{}, problem.Wrap(problem.NotEnrolled, err, "the terminal is not known in this epoch")
	}
	if err != nil {
		return ingest.Terminal{}, fmt.Errorf("find terminal key: %w", err)
	}
	t, err := f.env.Keeper.Terminal(ctx, id)
	if err != nil {
		return ingest.Terminal{}, fmt.Errorf("find terminal: %w", err)
	}
	state := t.State
	if state == StateRetiring {
		state = StateEnrolled // what it delivers is as good as ever
	}
	out := ingest.Terminal{ID: id, Store: t.Store, Epoch: epoch, PublicKey: key, State: string(state)}
	if epoch == t.Epoch {
		return out, nil
	}
	if state == StateEnrolled {
		out.State = string(StateQuarantined)
	}
	ended, ok, err := f.env.Keeper.Ended(ctx, id, epoch)
	if err != nil {
		return ingest.Terminal{}, fmt.Errorf("find end of epoch: %w", err)
	}
	if ok {
		out.Proven = ended.Head
	}
	return out, nil
}
