package api

import (
	"context"

	"github.com/tallystick/tallystick/server/card"
)

// GetMemberHolder implements StrictServerInterface.
func (h handlers) GetMemberHolder(ctx context.Context, r GetMemberHolderRequestObject) (GetMemberHolderResponseObject, error) {
	k, err := h.o.Cards.Known(ctx, r.ID)
	return GetMemberHolder200JSONResponse{
		Email: unlessEmpty(k.Holder.Email), EmailState: EmailState(k.Holder.State.String()), Phone: unlessEmpty(k.Holder.Phone),
		Locale: CardLocale(k.Holder.Locale), JoinedAt: k.Holder.JoinedAt, Consents: showAll(k.Consents, showConsent),
	}, err
}

// FindMembers implements StrictServerInterface.
func (h handlers) FindMembers(ctx context.Context, r FindMembersRequestObject) (FindMembersResponseObject, error) {
	found, err := h.o.Cards.Find(ctx, r.Body.Email)
	return FindMembers200JSONResponse{Items: showAll(found, func(f card.Found) MemberFound {
		return MemberFound{Member: showMember(f.Member), EmailState: EmailState(f.State.String())}
	})}, err
}
