package lan

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// maxMessage bounds the bodies lanes send each other for themselves, in bytes.
const maxMessage = 16 << 10

// handler answers one request of a lane that the roster names.
type handler func(r *http.Request, lane wire.Terminal, body []byte) (any, error)

func (n *Node) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathLANHead, n.handle(n.serveHead))
	mux.HandleFunc("POST "+wire.PathLANHeld, n.handle(n.serveHeld))
	mux.HandleFunc("POST "+wire.PathLANBorrow, n.handle(n.serveBorrow))
	mux.HandleFunc(wire.PathLANRelay+"/", n.serveRelay)
	return mux
}

// handle reads a bounded body and answers in CBOR, or with the problem. Who asks is
// looked up in the roster at each request: a lane revoked meanwhile is a stranger.
func (n *Node) handle(fn handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lane, err := n.laneOf(r.TLS)
		if err != nil {
			writeProblem(w, problem.Wrap(problem.Forbidden, err, "this lane is not in the store's roster"))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
		if err != nil {
			writeProblem(w, problem.Wrap(problem.BodyTooLarge, err, fmt.Sprintf("at most %d bytes", maxMessage)))
			return
		}
		answer, err := fn(r, lane, body)
		if err != nil {
			writeProblem(w, err)
			return
		}
		raw, err := wire.Marshal(answer)
		if err != nil {
			writeProblem(w, err)
			return
		}
		w.Header().Set("Content-Type", wire.ContentType)
		_, _ = w.Write(raw) // who asked will ask again
	}
}

// serveBorrow lends to a lane against which nothing is proved.
func (n *Node) serveBorrow(r *http.Request, lane wire.Terminal, body []byte) (any, error) {
	if found, had := n.book.Found(lane.ID); had {
		return nil, problem.Newf(problem.JournalFork, "this lane's journal is a %s; it must enrol again", found.Finding)
	}
	asked, err := wire.Unmarshal[wire.BorrowRequest](body)
	if err != nil {
		return nil, err
	}
	n.cfg.Terminal.HLC(asked.HLC)
	return n.cfg.Terminal.Lend(r.Context(), lane, asked)
}

// Borrow asks one lane for a loan under the id in asked. An error means that it is not
// known whether the loan was made, but for till.ErrNotAsked.
func (n *Node) Borrow(ctx context.Context, from wire.Terminal, asked wire.BorrowRequest) (wire.BorrowAnswer, error) {
	address, up := n.peers.at(from.ID)
	if !up {
		return wire.BorrowAnswer{}, fmt.Errorf("%w: lane %s does not answer", till.ErrNotAsked, from.ID)
	}
	ctx, cancel := context.WithTimeout(ctx, n.timing.Borrow)
	defer cancel()
	raw, lane, err := n.post(ctx, address, wire.PathLANBorrow, asked)
	if dialled := (*net.OpError)(nil); errors.As(err, &dialled) && dialled.Op == "dial" {
		err = fmt.Errorf("%w: %w", till.ErrNotAsked, err)
	}
	if err != nil {
		return wire.BorrowAnswer{}, err
	}
	if lane.ID != from.ID {
		return wire.BorrowAnswer{}, problem.Newf(problem.Unavailable, "at %s there is lane %s now", address, lane.ID)
	}
	answer, err := wire.Unmarshal[wire.BorrowAnswer](raw)
	if err == nil {
		n.cfg.Terminal.HLC(answer.HLC)
	}
	return answer, err
}

func writeProblem(w http.ResponseWriter, err error) {
	body := problem.Render(err)
	raw, encodeErr := json.Marshal(body)
	if encodeErr != nil {
		raw = nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(body.Status)
	_, _ = w.Write(raw) // who asked will ask again
}

func (n *Node) publicKey() ed25519.PublicKey { return n.cfg.Private.Public().(ed25519.PublicKey) }

// openOwn reads a head that must be the lane's own, of the epoch that HQ gave it: one
// that made up epochs could begin anew with each.
func openOwn(lane wire.Terminal, signed wire.SignedHead) (Witnessed, error) {
	head, err := wire.OpenHead(lane.PublicKey, signed)
	if err == nil && (head.Terminal != lane.ID || head.Epoch != lane.Epoch) {
		err = problem.New(problem.ProofInvalid, "the head is of another terminal or epoch")
	}
	return Witnessed{head, signed}, err
}
