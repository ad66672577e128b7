package api

import (
	"context"

	"github.com/tallystick/tallystick/internal/problem"
)

// CreateTie implements StrictServerInterface.
func (h handlers) CreateTie(ctx context.Context, r CreateTieRequestObject) (CreateTieResponseObject, error) {
	if _, err := h.o.Fleet.Store(ctx, r.Body.Store); err != nil {
		if problem.CodeOf(err) != problem.NotFound {
			return nil, err
		}
		return nil, &problem.Error{
			Code: problem.InvalidField, Detail: "the member cannot be tied", Fields: map[string]string{"/store": "names nothing that exists"}, Err: err,
		}
	}
	return CreateTie201JSONResponse(*r.Body), h.o.Ledger.Tie(ctx, r.ID, r.Body.Store)
}
