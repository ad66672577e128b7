package edgeclient

import (
	"time"

	"github.com/google/uuid"
)

// The types are those of edge/api/openapi.yaml, with the fields that stories and
// demo look at. Amounts are minor units, points the unit's smallest part.

// Scan says what a code is worth.
type Scan struct {
	ID        uuid.UUID `json:"id"`
	Kind      string    `json:"kind"`
	Member    uuid.UUID `json:"member"`
	Alias     string    `json:"alias"`
	Freshness string    `json:"freshness"`
	Balances  []Balance `json:"balances"`
	Rewards   []Reward  `json:"rewards"`
	Vouchers  []Voucher `json:"vouchers"`
}

// Free returns how much of unit is free, as far as the terminal knows.
func (s Scan) Free(unit string) int64 {
	for _, b := range s.Balances {
		if b.Unit == unit {
			return b.Free
		}
	}
	return 0
}

// Balance is what is free of one unit.
type Balance struct {
	Unit     string   `json:"unit"`
	Free     int64    `json:"free"`
	Expiring Expiring `json:"expiring"`
}

// Expiring is what of a balance expires first; zero: nothing soon.
type Expiring struct {
	Amount int64     `json:"amount"`
	At     time.Time `json:"at"`
}

// Reward is an entry of the catalogue.
type Reward struct {
	ID         uuid.UUID `json:"id"`
	Name       string    `json:"name"`
	Unit       string    `json:"unit"`
	Cost       int64     `json:"cost"`
	Discount   int64     `json:"discount"`
	Affordable bool      `json:"affordable"`
}

// Voucher is a right of the member.
type Voucher struct {
	ID       uuid.UUID `json:"id"`
	Reward   uuid.UUID `json:"reward"`
	Name     string    `json:"name"`
	Discount int64     `json:"discount"`
	Left     int64     `json:"left"`
}

// Line is one line of a basket.
type Line struct {
	SKU      string `json:"sku,omitempty"`
	Quantity int64  `json:"quantity,omitempty"` // thousandths; zero: one piece
	Amount   int64  `json:"amount"`
}

// Wish is one redemption asked for: a reward, or one use of a voucher.
type Wish struct {
	Reward  uuid.UUID `json:"reward,omitzero"`
	Times   int64     `json:"times,omitempty"`
	Voucher uuid.UUID `json:"voucher,omitzero"`
}

// QuoteRequest asks what a sale would do.
type QuoteRequest struct {
	Code     string `json:"code,omitempty"`
	Currency string `json:"currency"`
	Total    int64  `json:"total"`
	Lines    []Line `json:"lines,omitempty"`
	Redeem   []Wish `json:"redeem,omitempty"`

	Scans    []uuid.UUID `json:"scans,omitempty"`
	Approval uuid.UUID   `json:"approval,omitzero"`
}

// Quote is what a sale would do, reserved for a short time.
type Quote struct {
	ID        uuid.UUID  `json:"id"`
	ExpiresAt time.Time  `json:"expires_at"`
	Discount  int64      `json:"discount"`
	ToPay     int64      `json:"to_pay"`
	Earned    []Earned   `json:"earned"`
	Redeemed  []Redeemed `json:"redeemed"`
	Online    bool       `json:"online"`
}

// Earned is one earning.
type Earned struct {
	Unit   string `json:"unit"`
	Amount int64  `json:"amount"`
}

// Redeemed is one redemption.
type Redeemed struct {
	Reward   uuid.UUID `json:"reward"`
	Voucher  uuid.UUID `json:"voucher"`
	Unit     string    `json:"unit"`
	Amount   int64     `json:"amount"`
	Discount int64     `json:"discount"`
	Basis    string    `json:"basis"`
}

// SaleRequest commits a quote.
type SaleRequest struct {
	Quote   uuid.UUID `json:"quote"`
	Receipt string    `json:"pos_receipt,omitempty"`
	Cashier string    `json:"cashier,omitempty"`
}

// States of a sale.
const (
	Committed = "committed"
	Voided    = "voided"
)

// Sale is a committed sale.
type Sale struct {
	ID           uuid.UUID  `json:"id"`
	Seq          uint64     `json:"seq"`
	Hash         string     `json:"hash"`
	At           time.Time  `json:"at"`
	BusinessDate string     `json:"business_date"`
	Member       uuid.UUID  `json:"member"`
	Total        int64      `json:"total"`
	Discount     int64      `json:"discount"`
	ToPay        int64      `json:"to_pay"`
	Earned       []Earned   `json:"earned"`
	Redeemed     []Redeemed `json:"redeemed"`
	Receipt      string     `json:"pos_receipt"`
	State        string     `json:"state"`
	Returned     *Returned  `json:"returned"` // nil: nothing came back
	Left         *Left      `json:"left"`     // nil: voided

	Claim *ReceiptClaim `json:"claim"` // nil: it cannot be claimed

	Training   bool           `json:"training"`
	DoneBy     Person         `json:"done_by"`
	ApprovedBy Person         `json:"approved_by"`
	Register   []RegisterStep `json:"register"`
}

// Void is a durable void.
type Void struct {
	ID   uuid.UUID `json:"id"`
	Sale uuid.UUID `json:"sale"`
	Seq  uint64    `json:"seq"`
	Hash string    `json:"hash"`
}

// ReturnRequest takes goods back of the sale with an id, or else a receipt number.
// With neither lines nor refund, all that is left of it.
type ReturnRequest struct {
	Sale        uuid.UUID   `json:"sale,omitzero"`
	SaleReceipt string      `json:"pos_receipt,omitempty"`
	Origin      *Origin     `json:"origin,omitempty"`
	Lines       []GoodsLine `json:"lines,omitempty"`
	Refund      *Money      `json:"refund,omitempty"`
	Receipt     string      `json:"receipt,omitempty"`
	Cashier     string      `json:"cashier,omitempty"`
}

// Origin is where a sale was made.
type Origin struct {
	Terminal uuid.UUID `json:"terminal"`
	Epoch    uint32    `json:"epoch,omitempty"`
	Seq      uint64    `json:"seq,omitempty"`
}

// GoodsLine is an amount of one line. Quantity is in thousandths.
type GoodsLine struct {
	No       int    `json:"no"`
	SKU      string `json:"sku,omitempty"` // in answers only
	Quantity int64  `json:"quantity"`
	Amount   int64  `json:"amount,omitempty"`
}

// Money is an amount of a currency.
type Money struct {
	Currency string `json:"currency"`
	Minor    int64  `json:"minor"`
}

// Return is a durable return.
type Return struct {
	ID          uuid.UUID   `json:"id"`
	Seq         uint64      `json:"seq"`
	Hash        string      `json:"hash"`
	At          time.Time   `json:"at"`
	Sale        uuid.UUID   `json:"sale"`
	SaleReceipt string      `json:"pos_receipt"`
	Matched     bool        `json:"matched"`
	Whole       bool        `json:"whole"`
	Lines       []GoodsLine `json:"lines"`
	Refund      Money       `json:"refund"`
	Left        *Left       `json:"left"` // nil: the terminal does not hold the sale
}

// Left is what can still be brought back of a sale.
type Left struct {
	Refund int64       `json:"refund"`
	Lines  []GoodsLine `json:"lines"`
}

// Returned is what all returns of a sale brought back.
type Returned struct {
	Returns []uuid.UUID `json:"returns"`
	Refund  int64       `json:"refund"`
	Lines   []GoodsLine `json:"lines"`
	Whole   bool        `json:"whole"`
}

// Status is how the terminal stands.
type Status struct {
	Terminal   uuid.UUID `json:"terminal"`
	Name       string    `json:"terminal_name"`
	Store      uuid.UUID `json:"store"`
	Epoch      uint32    `json:"epoch"`
	Online     bool      `json:"online"`
	Sync       string    `json:"sync"`
	SyncCode   string    `json:"sync_code"`
	Queue      int64     `json:"queue"`
	HeadSeq    uint64    `json:"head_seq"`
	AckedSeq   uint64    `json:"acked_seq"`
	CacheAge   *int64    `json:"cache_age_seconds"` // nil: never had a feed page
	OldestSecs int64     `json:"oldest_unsynced_seconds"`
	DiskFree   int64     `json:"disk_free_bytes"`
	StandIn    StandIn   `json:"stand_in"`
	Rights     Rights    `json:"rights"`
	Caps       []Cap     `json:"caps"`
	Witness    Witness   `json:"witness"`
	// ReceiptRequired: no sale is taken without the register's receipt number.
	ReceiptRequired bool `json:"receipt_required"`
}

// Witness is how the terminal stands with those who know the head of its journal.
type Witness struct {
	Confirmed    bool   `json:"confirmed"` // since its start
	Contradicted bool   `json:"contradicted"`
	Finding      string `json:"finding"`
	Seq          uint64 `json:"seq"` // the last own head that was ever confirmed
}

// Cap is a cap on redeeming as it stands.
type Cap struct {
	Name  string `json:"name"`
	Limit int64  `json:"limit"`
	Used  int64  `json:"used"`
}

// Rights is what the terminal may redeem without asking anybody.
type Rights struct {
	Count  int64 `json:"count"`
	Points int64 `json:"points"`
}

// StandIn is what the terminal may still decide by itself.
type StandIn struct {
	Unit     string `json:"unit"`
	Points   int64  `json:"points_left"`
	Vouchers int64  `json:"vouchers_left"`
}
