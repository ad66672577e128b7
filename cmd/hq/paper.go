package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/tallystick/tallystick/server/paper"
	"github.com/tallystick/tallystick/sync/entry"
)

type certificateCommand struct {
	Store     string       `arg:"" help:"The store's code."`
	Date      string       `arg:"" help:"The business date, as 2026-03-31."`
	PDF       string       `name:"pdf" help:"Write it as A4 pages to this file, which must not be there yet. Without it the signed text is printed." type:"path"`
	Locale    paper.Locale `help:"Language of the pages." enum:"en,tr,pl" default:"en"`
	PublicURL string       `name:"public-url" help:"Where anybody reaches this HQ, as serve is told: the code on the pages holds it." default:"http://localhost:8080"`
}

// Run hands out the certificate of a store's day. It works while serve runs.
func (c certificateCommand) Run(ctx context.Context, s *surroundings) (err error) {
	date, err := time.Parse(time.DateOnly, c.Date)
	if err != nil {
		return fmt.Errorf("the date is %q: it must be like 2026-03-31", c.Date)
	}
	o, err := openOffice(ctx, s.cli, tuning{})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	stores, err := storesOf(ctx, o, []string{c.Store})
	if err != nil {
		return err
	}
	kept, err := o.storeDays.Certificate(ctx, stores[0].ID, entry.DateOf(date))
	if err != nil {
		return fmt.Errorf("certificate of %s: %w", c.Date, err)
	}
	if c.PDF == "" {
		_, err = fmt.Fprintln(s.stdout, kept.Text)
		return err
	}
	says, err := kept.Read()
	if err != nil {
		return err
	}
	day := paper.Day{Certificate: says, Text: kept.Text, Code: stores[0].Code, Name: stores[0].Name, Address: strings.TrimSuffix(c.PublicURL, "/")}
	pages, err := day.PDF(c.Locale)
	if err != nil {
		return err
	}
	if err := writeNew(c.PDF, pages); err != nil {
		return fmt.Errorf("write %s: %w", c.PDF, err)
	}
	return json.NewEncoder(s.stdout).Encode(map[string]any{"file": c.PDF, "number": kept.Number, "digest": kept.Digest, "link": day.Link()})
}

// writeNew writes a file that is not there yet, or leaves none.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err = f.Write(content); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		if rerr := os.Remove(name); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}
