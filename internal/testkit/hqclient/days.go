package hqclient

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
)

// DayClose is what a terminal said at the end of a business date, as HQ shows it.
type DayClose struct {
	Terminal     uuid.UUID    `json:"terminal"`
	Epoch        uint32       `json:"epoch"`
	Seq          uint64       `json:"seq"`
	Hash         string       `json:"hash"`
	BusinessDate string       `json:"business_date"`
	Reason       string       `json:"reason"`
	FirstSeq     uint64       `json:"first_seq"`
	LastSeq      uint64       `json:"last_seq"`
	Head         string       `json:"head"`
	Kinds        []DayKind    `json:"kinds"`
	Money        []DayMoney   `json:"money"`
	Amounts      []DayAmount  `json:"amounts"`
	Cashiers     []DayCashier `json:"cashiers"`
}

// DayKind counts entries of a kind.
type DayKind struct {
	Kind  string `json:"kind"`
	Count uint64 `json:"count"`
}

// DayMoney sums money of a kind, in minor units.
type DayMoney struct {
	Kind      string `json:"kind"`
	Currency  string `json:"currency"`
	Count     uint64 `json:"count"`
	Total     int64  `json:"total"`
	Discount  int64  `json:"discount"`
	Unmatched uint64 `json:"unmatched"`
}

// DayAmount sums a unit by kind, flow and basis.
type DayAmount struct {
	Kind     string `json:"kind"`
	Flow     string `json:"flow"`
	Unit     string `json:"unit"`
	Basis    string `json:"basis"`
	Count    uint64 `json:"count"`
	Amount   int64  `json:"amount"`
	Discount int64  `json:"discount"`
}

// DayCashier is what one cashier did, in minor units.
type DayCashier struct {
	Cashier  string `json:"cashier"`
	Currency string `json:"currency"`
	Sales    uint64 `json:"sales"`
	Voids    uint64 `json:"voids"`
	Returns  uint64 `json:"returns"`
	Taken    int64  `json:"taken"`
	Undone   int64  `json:"undone"`
	Refunded int64  `json:"refunded"`
}

// DayCloses lists the closes of a store's terminals, newest date first.
func (c *Client) DayCloses(ctx context.Context, store uuid.UUID) ([]DayClose, error) {
	return list[DayClose](ctx, c, "/stores/"+store.String()+"/day-closes", nil)
}

// BusinessDay is where a day of a store stands.
type BusinessDay struct {
	BusinessDate string      `json:"business_date"`
	State        string      `json:"state"`
	Number       uint64      `json:"number"`
	Blocking     []uuid.UUID `json:"blocking"`
}

// BusinessDays lists the days of a store by date.
func (c *Client) BusinessDays(ctx context.Context, store uuid.UUID) ([]BusinessDay, error) {
	return list[BusinessDay](ctx, c, "/stores/"+store.String()+"/days", nil)
}

// DayCertificate returns the signed certificate of a store's day.
func (c *Client) DayCertificate(ctx context.Context, store uuid.UUID, date string) (string, error) {
	out, err := read[struct {
		Certificate string `json:"certificate"`
	}](ctx, c, fmt.Sprintf("/stores/%s/days/%s/certificate", store, date))
	return out.Certificate, err
}

// EntryBytes returns an entry as HQ keeps it.
func (c *Client) EntryBytes(ctx context.Context, writer uuid.UUID, epoch uint32, seq uint64) ([]byte, error) {
	out, err := read[struct {
		Items []struct {
			Bytes string `json:"bytes"`
		} `json:"items"`
	}](ctx, c, fmt.Sprintf("/entries/%s/%d/%d", writer, epoch, seq))
	if err != nil {
		return nil, err
	}
	if len(out.Items) != 1 {
		return nil, fmt.Errorf("HQ has %d entries %d", len(out.Items), seq)
	}
	return hex.DecodeString(out.Items[0].Bytes)
}
