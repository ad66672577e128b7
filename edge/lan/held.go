package lan

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/sync/wire"
)

// serveHeld tells a lane what this terminal could lend it.
func (n *Node) serveHeld(r *http.Request, lane wire.Terminal, body []byte) (any, error) {
	asked, err := wire.Unmarshal[wire.HeldRequest](body)
	if err != nil {
		return nil, err
	}
	return n.cfg.Terminal.Lendable(r.Context(), lane, asked)
}

// Lendable asks all lanes that answered the last look what they could lend on an account,
// all at the same time, and returns what was said within the time of ctx.
func (n *Node) Lendable(ctx context.Context, account uuid.UUID) map[uuid.UUID][]wire.Held {
	var mu sync.Mutex
	out := map[uuid.UUID][]wire.Held{}
	var all sync.WaitGroup
	asked := wire.HeldRequest{V: wire.Version, Account: account, Epoch: n.self.Epoch}
	for _, peer := range n.peers.all() {
		if !peer.Up {
			continue
		}
		all.Go(func() {
			lane, held, err := n.askHeld(ctx, peer.Address, asked)
			if err != nil {
				n.cfg.Log.Debug("lane does not say what it holds", "address", peer.Address, "err", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			out[lane] = held
		})
	}
	all.Wait()
	return out
}

func (n *Node) askHeld(ctx context.Context, address string, asked wire.HeldRequest) (uuid.UUID, []wire.Held, error) {
	raw, lane, err := n.post(ctx, address, wire.PathLANHeld, asked)
	if err != nil {
		return uuid.Nil, nil, err
	}
	answer, err := wire.Unmarshal[wire.HeldAnswer](raw)
	if err == nil && len(answer.Held) > wire.MaxHeld {
		err = fmt.Errorf("%d rights in an answer, at most %d", len(answer.Held), wire.MaxHeld)
	}
	return lane.ID, answer.Held, err
}
