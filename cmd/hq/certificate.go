package main

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/server/storeday"
)

type verifyCertificateCommand struct {
	Keys  string   `help:"HQ's published keys: a file, or the address of /.well-known/jwks.json. Without it those of the data directory."`
	JSON  bool     `name:"json" help:"Print what the certificates say as JSON."`
	Files []string `arg:"" help:"Certificates, one or more a file, one a line; - is standard input. Several of one store are checked as a chain."`
}

// Limits of what is read.
const (
	maxKeySet = 1 << 20
	// mostCertificates bounds how many are checked at once: a store's decade.
	mostCertificates = 4000
)

// Run verifies certificates without HQ and its database.
func (v verifyCertificateCommand) Run(ctx context.Context, s *surroundings) error {
	published, err := v.published(ctx, s)
	if err != nil {
		return err
	}
	texts, err := v.read(s)
	if err != nil {
		return err
	}
	var links []storeday.Link
	for i, text := range texts {
		c, err := storeday.Verify(text, published)
		if err != nil {
			return fmt.Errorf("certificate %d of %d: %w", i+1, len(texts), err)
		}
		links = append(links, storeday.Link{Certificate: c, Text: text})
	}
	slices.SortStableFunc(links, func(a, b storeday.Link) int {
		if a.Store != b.Store {
			return strings.Compare(a.Store.String(), b.Store.String())
		}
		return int(a.Number) - int(b.Number)
	})
	for from := 0; from < len(links); {
		to := from
		for to < len(links) && links[to].Store == links[from].Store {
			to++
		}
		if err := storeday.CheckChain(links[from:to]); err != nil {
			return err
		}
		from = to
	}
	return v.print(s.stdout, links)
}

func (v verifyCertificateCommand) print(out io.Writer, links []storeday.Link) error {
	for _, l := range links {
		if v.JSON {
			if err := json.NewEncoder(out).Encode(l.Certificate); err != nil {
				return err
			}
			continue
		}
		_, err := fmt.Fprintf(out, "good  %s  store %s  number %d  %d entries, %d late, cut at %s\n",
			l.Date, l.Store, l.Number, l.Day.Entries, late(l.Certificate), time.UnixMilli(l.CutAt).UTC().Format(time.RFC3339))
		if err != nil {
			return err
		}
	}
	return nil
}

func late(c storeday.Certificate) (n uint64) {
	for _, f := range c.Late {
		n += f.Entries
	}
	return n
}

// read gathers the certificates of all files.
func (v verifyCertificateCommand) read(s *surroundings) ([]string, error) {
	var out []string
	for _, name := range v.Files {
		f := io.ReadCloser(s.stdin)
		if name != "-" {
			opened, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			f = opened
		}
		raw, err := io.ReadAll(io.LimitReader(f, mostCertificates*storeday.MaxCertificate))
		if name != "-" {
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		out = append(out, strings.Fields(string(raw))...)
	}
	if len(out) == 0 || len(out) > mostCertificates {
		return nil, fmt.Errorf("there are %d certificates to check; give 1 to %d", len(out), mostCertificates)
	}
	return out, nil
}

// published are HQ's public keys by their names.
func (v verifyCertificateCommand) published(ctx context.Context, s *surroundings) (map[string]ed25519.PublicKey, error) {
	if v.Keys != "" {
		raw, err := fetchKeys(ctx, v.Keys)
		if err != nil {
			return nil, fmt.Errorf("read keys: %w", err)
		}
		return keys.ParseJWKS(raw)
	}
	secrets, err := readSecrets(s.cli.Data)
	if err != nil {
		return nil, fmt.Errorf("%w (say --keys to verify without a data directory)", err)
	}
	raw, err := secrets.set().JWKS(keys.UseStatement)
	if err != nil {
		return nil, err
	}
	return keys.ParseJWKS(raw)
}

// fetchKeys reads a key set from a file or an address.
func fetchKeys(ctx context.Context, from string) ([]byte, error) {
	if !strings.HasPrefix(from, "http://") && !strings.HasPrefix(from, "https://") {
		f, err := os.Open(from)
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(io.LimitReader(f, maxKeySet))
		return raw, errors.Join(err, f.Close())
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(answer.Body, maxKeySet))
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", from, answer.Status)
	}
	return raw, nil
}
