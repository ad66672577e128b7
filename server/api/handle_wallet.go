package api

import (
	"context"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
)

// IssueWalletPass implements StrictServerInterface.
func (h handlers) IssueWalletPass(ctx context.Context, r IssueWalletPassRequestObject) (IssueWalletPassResponseObject, error) {
	if !r.Body.Channel.Valid() {
		return nil, &problem.Error{Code: problem.InvalidField, Detail: "no such channel", Fields: map[string]string{"/channel": "must be apple"}}
	}
	if h.o.Passes == nil || !h.o.Passes.HasApple() {
		return nil, problem.New(problem.StateConflict, "Apple Wallet is not set up here")
	}
	p, err := h.o.Passes.Issue(ctx, r.ID, pass.Apple)
	if err != nil {
		return nil, err
	}
	ticket, err := h.o.Passes.Ticket(p)
	if err != nil {
		return nil, err
	}
	return IssueWalletPass201JSONResponse{
		ID: p.ID, Serial: p.Serial(), Channel: r.Body.Channel, IssuedAt: p.IssuedAt, Download: applePath + "passes/" + ticket,
	}, nil
}
