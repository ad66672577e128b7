package api

import (
	"context"

	openapi_types "github.com/oapi-codegen/runtime/types"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/server/tier"
)

// GetTiers implements StrictServerInterface.
func (h handlers) GetTiers(ctx context.Context, _ GetTiersRequestObject) (GetTiersResponseObject, error) {
	tiers, err := h.o.Programme.CurrentTiers(ctx)
	return GetTiers200JSONResponse(showTiers(tiers)), err
}

// PutTiers implements StrictServerInterface.
func (h handlers) PutTiers(ctx context.Context, r PutTiersRequestObject) (PutTiersResponseObject, error) {
	tiers, err := h.o.Programme.PutTiers(ctx, callerOf(ctx).person.ID, readTiers(*r.Body))
	return PutTiers200JSONResponse(showTiers(tiers)), err
}

// PreviewTiers implements StrictServerInterface.
func (h handlers) PreviewTiers(ctx context.Context, r PreviewTiersRequestObject) (PreviewTiersResponseObject, error) {
	tiers := readTiers(*r.Body)
	if err := h.o.Programme.CheckTiers(ctx, tiers); err != nil {
		return nil, err
	}
	count, err := h.o.Tiers.Preview(ctx, tiers)
	return PreviewTiers200JSONResponse{Levels: count.Levels, None: count.None}, err
}

// GetMemberTier implements StrictServerInterface.
func (h handlers) GetMemberTier(ctx context.Context, r GetMemberTierRequestObject) (GetMemberTierResponseObject, error) {
	m, err := h.o.Programme.Member(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	ladder, standing, err := h.o.Tiers.Of(ctx, m.Account)
	return GetMemberTier200JSONResponse(showStanding(ladder, standing)), err
}

func readTiers(t TiersChange) loyalty.Tiers {
	return loyalty.Tiers{Unit: t.Unit, Days: t.Days, Zone: t.Zone, Levels: showAll(t.Levels, func(l TierLevel) loyalty.TierLevel {
		names := map[string]string{"en": l.Names.En}
		for language, name := range map[string]*string{"tr": l.Names.Tr, "pl": l.Names.Pl} {
			if name != nil {
				names[language] = *name
			}
		}
		return loyalty.TierLevel{Key: l.Key, Names: names, Threshold: l.Threshold, Colour: valueOf(l.Colour)}
	})}
}

func showTiers(t loyalty.Tiers) Tiers {
	return Tiers{Version: int64(t.Version), Unit: t.Unit, Days: t.Days, Zone: t.Zone, Levels: showAll(t.Levels, showTierLevel)}
}

func showTierLevel(l loyalty.TierLevel) TierLevel {
	return TierLevel{
		Key: l.Key, Threshold: l.Threshold, Colour: unlessEmpty(l.Colour),
		Names: TierNames{En: l.Names["en"], Tr: unlessEmpty(l.Names["tr"]), Pl: unlessEmpty(l.Names["pl"])},
	}
}

// showStanding is where somebody stands; nothing but a zero where there are no tiers.
func showStanding(l tier.Ladder, s loyalty.Standing) MemberTier {
	if len(l.Levels) == 0 {
		return MemberTier{}
	}
	out := MemberTier{Unit: &l.Unit, Counted: s.Counted, Since: showDay(l.Begins(l.Today))}
	if s.Level >= 0 {
		level := showTierLevel(l.Levels[s.Level])
		out.Tier = &level
		if s.KeptUntil != 0 {
			out.KeptUntil = showDay(s.KeptUntil)
		}
	}
	if s.Next >= 0 {
		next := showTierLevel(l.Levels[s.Next])
		out.Next, out.Missing = &next, &s.Missing
	}
	return out
}

func showDay(d loyalty.Day) *openapi_types.Date { return &openapi_types.Date{Time: d.Date()} }
