package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/auditpack"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/sync/entry"
)

type auditPackCommand struct {
	Store []string `help:"Codes of the stores to pack; all without it."`
	To    string   `help:"The last business date, as 2026-03-31; all certified days without it."`
	Dir   string   `arg:"" help:"The folder to make; it must not be there yet." type:"path"`
}

// lastDate is later than any business date.
const lastDate = entry.Date(99991231)

// Run writes a pack. It works while serve runs.
func (a auditPackCommand) Run(ctx context.Context, s *surroundings) (err error) {
	to := lastDate
	if a.To != "" {
		day, err := time.Parse(time.DateOnly, a.To)
		if err != nil {
			return fmt.Errorf("--to is %q: it must be a date like 2026-03-31", a.To)
		}
		to = entry.DateOf(day)
	}
	o, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	stores, err := storesOf(ctx, o, a.Store)
	if err != nil {
		return err
	}
	err = auditpack.Write(ctx, auditpack.Env{
		Store: o.db, Clock: o.clock, HQ: o.secrets.HQ, Signer: o.statement, Keys: o.keys, MakeDir: auditpack.Folder, Told: progress(s.stderr),
	}, a.Dir, stores, to)
	if err != nil {
		return fmt.Errorf("audit-pack: %w", err)
	}
	return json.NewEncoder(s.stdout).Encode(map[string]any{"pack": a.Dir, "stores": len(stores)})
}

// progress says every few seconds how far a file is.
func progress(out io.Writer) func(string, uint64, uint64) {
	last := time.Now()
	return func(what string, n, of uint64) {
		if now := time.Now(); now.Sub(last) > 2*time.Second {
			last = now
			fmt.Fprintf(out, "%s: %d of %d entries\n", what, n, of)
		}
	}
}

// storesOf finds stores by their codes; all of them when none is asked for.
func storesOf(ctx context.Context, o *office, codes []string) ([]fleet.Store, error) {
	wanted := map[string]bool{}
	for _, code := range codes {
		wanted[code] = true
	}
	var out []fleet.Store
	var after uuid.UUID
	for {
		page, err := o.fleet.Stores(ctx, after, 200)
		if err != nil {
			return nil, err
		}
		for _, store := range page {
			if after = store.ID; len(codes) == 0 || wanted[store.Code] {
				out = append(out, store)
				delete(wanted, store.Code)
			}
		}
		if len(page) < 200 {
			break
		}
	}
	for code := range wanted {
		return nil, fmt.Errorf("--store: there is no store %q", code)
	}
	return out, nil
}
