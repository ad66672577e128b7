package lan

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// post sends a message to the lane at an address and returns the answer and who gave
// it. The answer is bounded.
func (n *Node) post(ctx context.Context, address, path string, message any) ([]byte, wire.Terminal, error) {
	raw, err := wire.Marshal(message)
	if err != nil {
		return nil, wire.Terminal{}, fmt.Errorf("encode message to a lane: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+address+path, bytes.NewReader(raw))
	if err != nil {
		return nil, wire.Terminal{}, fmt.Errorf("make request to lane %s: %w", address, err)
	}
	req.Header.Set("Content-Type", wire.ContentType)
	resp, err := n.client.Do(req)
	if err != nil {
		return nil, wire.Terminal{}, fmt.Errorf("reach lane: %w", err)
	}
	defer resp.Body.Close()
	lane, err := n.laneOf(resp.TLS)
	if err != nil {
		return nil, lane, fmt.Errorf("lane at %s: %w", address, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxMessage+1))
	if err != nil {
		return nil, lane, fmt.Errorf("read the answer of lane %s: %w", lane.ID, err)
	}
	if len(body) > maxMessage {
		return nil, lane, problem.Newf(problem.BodyTooLarge, "the answer of lane %s is over %d bytes", lane.ID, maxMessage)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, lane, problem.Parse(resp.StatusCode, body)
	}
	return body, lane, nil
}
