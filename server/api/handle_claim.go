package api

import (
	"context"

	"github.com/google/uuid"
)

// CreateClaim implements StrictServerInterface.
func (h handlers) CreateClaim(ctx context.Context, r CreateClaimRequestObject) (CreateClaimResponseObject, error) {
	row, err := h.o.Claims.ByHand(ctx, callerOf(ctx).person.ID, r.Body.Member, r.Body.Code)
	if err != nil {
		return nil, err
	}
	out := CreateClaim201JSONResponse{ID: row.Claim, State: ClaimState(row.State.String())}
	if row.SaleID != uuid.Nil {
		out.Sale = &row.SaleID
	}
	if row.Member != uuid.Nil {
		out.Member = &row.Member
	}
	return out, nil
}
