//go:build linux

package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// refusedError is an answer other than 200.
type refusedError struct {
	problem *problem.Error
	after   time.Duration // Retry-After
}

func (r *refusedError) Error() string { return r.problem.Error() }

func (r *refusedError) Unwrap() error { return r.problem }

// call posts one message with a proof, and once more when HQ asks for its nonce.
func (t *terminal) call(ctx context.Context, path string, body []byte) ([]byte, error) {
	raw, err := t.once(ctx, path, body)
	if problem.CodeOf(err) == problem.ProofNonce {
		raw, err = t.once(ctx, path, body)
	}
	return raw, err
}

func (t *terminal) once(ctx context.Context, path string, body []byte) ([]byte, error) {
	proof, err := wire.Prove(t.signer.Private(), wire.Proof{
		HQ: t.hq, Terminal: t.writer.ID, Epoch: t.writer.Epoch, Method: http.MethodPost, Path: path,
		Nonce: t.nonce, ID: uuid.NewString(), IssuedAt: time.Now(), Body: body,
	})
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.office.hq.URL()+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", wire.ContentType)
	req.Header.Set("Content-Encoding", "zstd")
	req.Header.Set("Accept-Encoding", "zstd")
	req.Header.Set(wire.HeaderProof, proof)
	resp, err := t.office.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if nonce := resp.Header.Get(wire.HeaderNonce); nonce != "" {
		t.nonce = nonce
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody))
	if err != nil {
		return nil, err
	}
	if resp.Header.Get("Content-Encoding") == "zstd" {
		if raw, err = wire.Decompress(raw); err != nil {
			return nil, err
		}
	}
	if resp.StatusCode != http.StatusOK {
		seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // missing is zero
		return nil, &refusedError{problem.Parse(resp.StatusCode, raw), time.Duration(seconds) * time.Second}
	}
	return raw, nil
}

// Waits after a refusal, as package syncer has them.
const (
	backoffBase  = time.Second
	backoffLimit = time.Minute
)

// insist repeats a call while HQ answers that it is busy or cannot, waiting as a lane does:
// what HQ asked for, and a random part of a second, two, four, to a minute. It
// returns how often it was sent away.
func insist(ctx context.Context, call func() error) (refusals int, err error) {
	for {
		err := call()
		var busy *refusedError
		if !errors.As(err, &busy) || busy.problem.Code != problem.Backpressure && busy.problem.Code != problem.Unavailable {
			return refusals, err
		}
		ceiling := min(backoffLimit, backoffBase<<min(refusals, 10))
		refusals++
		select {
		case <-time.After(busy.after + rand.N(ceiling)):
		case <-ctx.Done():
			return refusals, ctx.Err()
		}
	}
}

// each runs do for 0 to n-1, at most width at once, and returns the first error. No
// new one begins after an error.
func each(n, width int, do func(int) error) error {
	var next atomic.Int64
	var first atomic.Pointer[error]
	var all sync.WaitGroup
	for range min(n, width) {
		all.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || first.Load() != nil {
					return
				}
				if err := do(i); err != nil {
					err = fmt.Errorf("%d of %d: %w", i, n, err)
					first.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	all.Wait()
	if err := first.Load(); err != nil {
		return *err
	}
	return nil
}
