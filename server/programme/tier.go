package programme

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// kindTiers is the versioned record of the levels.
const kindTiers = "tiers"

// tierLanguages are those in which a level may have a name; the first is needed.
var tierLanguages = []string{"en", "tr", "pl"}

var colourShape = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// CurrentTiers returns the levels in force; none, of version 0, before the first.
func (p *Programme) CurrentTiers(ctx context.Context) (loyalty.Tiers, error) {
	tiers, err := latest[loyalty.Tiers](ctx, p, kindTiers)
	if problem.CodeOf(err) == problem.NotFound {
		return loyalty.Tiers{Zone: "UTC"}, nil
	}
	return tiers, err
}

// PutTiers puts new levels in force, for everything that was ever earned: a member's
// tier is worked out anew by them. Without levels there are no tiers. The version of the
// argument is ignored. Stores are not told: nothing is decided at a till by a tier.
func (p *Programme) PutTiers(ctx context.Context, by uuid.UUID, tiers loyalty.Tiers) (loyalty.Tiers, error) {
	if err := p.CheckTiers(ctx, tiers); err != nil {
		return loyalty.Tiers{}, err
	}
	err := p.env.Keeper.InTx(ctx, func(ctx context.Context) error {
		last, err := p.CurrentTiers(ctx)
		if err != nil {
			return err
		}
		tiers.Version = last.Version + 1
		raw, err := wire.Marshal(tiers)
		if err != nil {
			return err
		}
		if err := p.env.Keeper.AddVersion(ctx, kindTiers, tiers.Version, raw, by, p.now()); err != nil {
			return err
		}
		return p.env.Journal.Append(ctx, hqjournal.Fact{
			Shard: shard.Of(p.env.HQ), Kind: entry.KindHQTiers,
			Body: entry.HQRecord{ID: p.env.HQ, Version: tiers.Version, Record: raw, By: by},
		})
	})
	if err != nil {
		return loyalty.Tiers{}, fmt.Errorf("put tiers: %w", err)
	}
	return tiers, nil
}

// CheckTiers says why PutTiers would refuse levels.
func (p *Programme) CheckTiers(ctx context.Context, tiers loyalty.Tiers) error {
	r := refusal{}
	r.unit("/unit", tiers.Unit)
	r.between("/days", int64(tiers.Days), 0, loyalty.MostTierDays)
	_, err := time.LoadLocation(tiers.Zone)
	r.unless(err == nil && tiers.Zone != "" && tiers.Zone != "Local", "/zone", "must be an IANA time zone")
	r.unless(len(tiers.Levels) <= loyalty.MostTiers, "/levels", "has more than "+strconv.Itoa(loyalty.MostTiers)+" levels")
	seen := map[string]bool{}
	for i, l := range tiers.Levels {
		at := "/levels/" + strconv.Itoa(i)
		r.unit(at+"/key", l.Key)
		r.unless(!seen[l.Key], at+"/key", "is there twice")
		seen[l.Key] = true
		r.between(at+"/threshold", l.Threshold, 0, Most)
		r.unless(i == 0 || l.Threshold > tiers.Levels[i-1].Threshold, at+"/threshold", "must be above the level before")
		r.unless(l.Colour == "" || colourShape.MatchString(l.Colour), at+"/colour", "must be # and six digits from 0 to f")
		r.tierNames(at+"/names", l.Names)
	}
	if err := r.err("the tiers cannot be put in force"); err != nil {
		return err
	}
	return p.needUnit(ctx, "/unit", tiers.Unit)
}

// tierNames checks the names of a level: one in the first language, and no others than
// those that passes and pages speak.
func (r refusal) tierNames(at string, names map[string]string) {
	known := 0
	for i, language := range tierLanguages {
		name, given := names[language]
		if given {
			known++
		}
		if given || i == 0 {
			r.text(at+"/"+language, name, 1, 40)
		}
	}
	r.unless(known == len(names), at, "has a language that is not en, tr or pl")
}
