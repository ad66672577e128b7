package posbooks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/tallystick/tallystick/sync/entry"
)

// book is a receipt or a total of the JSON format (docs/pos-books.md). Amounts are minor
// units.
type book struct {
	Store    string `json:"store"`
	Receipt  string `json:"receipt"`
	Lane     string `json:"lane"`
	Time     string `json:"time"` // RFC 3339, or without a zone
	Date     string `json:"date"` // the business date
	Kind     string `json:"kind"`
	Currency string `json:"currency"`
	Amount   *int64 `json:"amount"`
	Discount *int64 `json:"discount"`
	Card     bool   `json:"card"`
	Count    *int64 `json:"count"`
}

// readJSON reads {"store":…,"currency":…,"receipts":[…],"totals":[…]}.
func (r Reading) readJSON(ctx context.Context, in io.Reader, into Into) (Summary, error) {
	text, name, err := decoded(in, utf8Name)
	if err != nil {
		return Summary{}, err
	}
	sum := Summary{Encoding: name}
	from := &bounded{in: text}
	d := json.NewDecoder(from)
	if err := expect(d, from, json.Delim('{')); err != nil {
		return sum, err
	}
	currency, store, lists := r.Place.Currency, "", false
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return sum, from.verdict(err, 0, jsonAt(d))
		}
		switch name {
		case "store", "currency":
			if lists { // what was read already is perhaps another store's
				return sum, &Unreadable{Reason: fmt.Sprintf("has %q behind a list; it must stand before", name)}
			}
			into := &store
			if name == "currency" {
				into = &currency
			}
			err = said(d, from, into)
		case "receipts", "totals":
			lists = true
			err = r.readBooks(ctx, d, from, book{Store: store, Currency: currency}, name == "totals", &sum, into)
		default:
			err = &Unreadable{Reason: fmt.Sprintf("has a member %q that is not known", clip(fmt.Sprint(name)))}
		}
		if err != nil {
			return sum, err
		}
	}
	if err := expect(d, from, json.Delim('}')); err != nil {
		return sum, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return sum, &Unreadable{Reason: "there is text behind its end"}
	}
	return sum, nil
}

// said reads a text that counts for all that follows.
func said(d *json.Decoder, from *bounded, into *string) error {
	if err := d.Decode(into); err != nil {
		return from.verdict(err, 0, jsonAt(d))
	}
	if len(*into) > maxReceipt { // it would be held against every row
		return &Unreadable{Reason: fmt.Sprintf("has a store or currency of more than %d bytes", maxReceipt)}
	}
	return nil
}

// readBooks reads a list of receipts or totals. usual has what the file says for all.
func (r Reading) readBooks(ctx context.Context, d *json.Decoder, from *bounded, usual book, totals bool, sum *Summary, into Into) error {
	if err := expect(d, from, json.Delim('[')); err != nil {
		return err
	}
	for d.More() {
		if err := ctx.Err(); err != nil {
			return err
		}
		no := sum.Rows + sum.Bad + sum.Ignored + 1
		var piece json.RawMessage
		if err := d.Decode(&piece); err != nil {
			return from.verdict(err, 0, jsonAt(d))
		}
		from.next()
		row, ignore, err := r.book(no, piece, usual, totals)
		switch {
		case err != nil:
			err = sum.bad(into, Bad{no, err.Error(), string(piece)})
		case ignore:
			sum.Ignored++
		default:
			err = sum.row(into, row)
		}
		if err != nil {
			return err
		}
	}
	return expect(d, from, json.Delim(']'))
}

// book reads and judges one receipt or total.
func (r Reading) book(no int64, piece []byte, usual book, totals bool) (Row, bool, error) {
	b := usual
	d := json.NewDecoder(bytes.NewReader(piece))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return Row{}, false, fmt.Errorf("cannot be read: %w", err)
	}
	if b.Amount == nil || *b.Amount < -maxAmount || *b.Amount > maxAmount {
		return Row{}, false, errors.New("has no amount, or one that is too large")
	}
	in := raw{line: no, store: b.Store, receipt: b.Receipt, lane: b.Lane, kind: b.Kind, currency: b.Currency, amount: *b.Amount, card: b.Card, total: totals}
	if b.Discount != nil {
		if in.discount, in.hasDiscount = *b.Discount, true; *b.Discount < -maxAmount || *b.Discount > maxAmount {
			return Row{}, false, errors.New("has a discount that is too large")
		}
	}
	if b.Count != nil {
		in.count, in.hasCount = *b.Count, true
	}
	if b.Date != "" {
		day, err := time.Parse(time.DateOnly, b.Date)
		if err != nil {
			return Row{}, false, fmt.Errorf("%q is no date", clip(b.Date))
		}
		in.day = entry.DateOf(day)
	}
	if b.Time != "" {
		at, dateOnly, err := layout{isoTime, isoLayouts}.read(b.Time, r.zone)
		if err != nil || dateOnly {
			return Row{}, false, fmt.Errorf("%q is no time", clip(b.Time))
		}
		in.at, in.timed = at, true
	}
	return r.judge(in)
}

// expect takes one bracket.
func expect(d *json.Decoder, from *bounded, want json.Delim) error {
	switch got, err := d.Token(); {
	case err != nil:
		return from.verdict(err, 0, jsonAt(d))
	case got != want:
		return &Unreadable{Reason: fmt.Sprintf("has %q where %q should be, at byte %d", clip(fmt.Sprint(got)), want.String(), d.InputOffset())}
	}
	return nil
}

func jsonAt(d *json.Decoder) string {
	return fmt.Sprintf("JSON of this format at byte %d", d.InputOffset())
}
