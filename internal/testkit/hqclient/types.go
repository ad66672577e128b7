package hqclient

import (
	"time"

	"github.com/google/uuid"
)

// The types are those of server/api/openapi.yaml, with the fields that stories and
// demo look at.

// RuleSet says what sales earn.
type RuleSet struct {
	Currency string     `json:"currency"`
	Earn     []EarnRule `json:"earn"`
}

// EarnRule gives Points of Unit for every full Per minor units spent.
type EarnRule struct {
	Unit   string `json:"unit"`
	Points int64  `json:"points"`
	Per    int64  `json:"per"`
}

// Policy caps what terminals may decide by themselves.
type Policy struct {
	Unit             string `json:"unit"`
	PerSale          int64  `json:"per_sale"`
	PerMemberDay     int64  `json:"per_member_day"`
	PerTerminal      int64  `json:"per_terminal_since_sync"`
	VouchersPerSale  int64  `json:"vouchers_per_sale"`
	VouchersTerminal int64  `json:"vouchers_per_terminal_since_sync"`
	MaxCacheAge      int64  `json:"max_cache_age_seconds"`
	PerStore         int64  `json:"per_store_since_sync,omitempty"`
	RestartCap       int64  `json:"restart_cap,omitempty"`
	Rights           Rights `json:"rights,omitzero"`
	ClaimDays        int64  `json:"claim_days,omitempty"`
	SpendEarned      bool   `json:"spend_earned,omitempty"`
	SpendPending     bool   `json:"spend_pending,omitempty"`
}

// Rights is how HQ gives rights to redeem without asking.
type Rights struct {
	SharePercent int64 `json:"share_percent,omitempty"`
	Cap          int64 `json:"cap,omitempty"`
	Min          int64 `json:"min,omitempty"`
	LifeSeconds  int64 `json:"life_seconds,omitempty"`
	OneOffSecs   int64 `json:"one_off_seconds,omitempty"`
	GraceSeconds int64 `json:"grace_seconds,omitempty"`
}

// Store is a shop.
type Store struct {
	ID       uuid.UUID `json:"id,omitzero"`
	Code     string    `json:"code"`
	Name     string    `json:"name"`
	TimeZone string    `json:"time_zone"`
	Currency string    `json:"currency"`
}

// Terminal is one lane.
type Terminal struct {
	ID       uuid.UUID `json:"id"`
	Store    uuid.UUID `json:"store"`
	Name     string    `json:"name"`
	State    string    `json:"state"`
	Epoch    uint32    `json:"epoch"`
	HeadSeq  uint64    `json:"head_seq"`
	AckedSeq uint64    `json:"acked_seq"`
	Queue    int64     `json:"queue"`
}

// MemberNew enrols a shopper.
type MemberNew struct {
	Alias     string `json:"alias,omitempty"`
	Reference string `json:"reference,omitempty"`
}

// Member is a shopper.
type Member struct {
	ID      uuid.UUID `json:"id"`
	Account uuid.UUID `json:"account"`
	Alias   string    `json:"alias"`
	Card    string    `json:"card_number"`
	Issue   int       `json:"issue"`
	Blocked bool      `json:"blocked"`
}

// MemberDetail is a shopper with what they hold.
type MemberDetail struct {
	Member   Member    `json:"member"`
	Holdings []Holding `json:"holdings"`
	Vouchers []Voucher `json:"vouchers"`
}

// Holding returns the member's holding of unit, the zero one when there is none.
func (m MemberDetail) Holding(unit string) Holding {
	for _, h := range m.Holdings {
		if h.Unit == unit {
			return h
		}
	}
	return Holding{Unit: unit}
}

// Voucher returns the voucher with this id.
func (m MemberDetail) Voucher(id uuid.UUID) (Voucher, bool) {
	for _, v := range m.Vouchers {
		if v.ID == id {
			return v, true
		}
	}
	return Voucher{}, false
}

// Holding is what an account has of one unit.
type Holding struct {
	Unit      string `json:"unit"`
	Free      int64  `json:"free"`
	Allowance int64  `json:"allowance"`
	Pending   int64  `json:"pending"`
	Overdraft int64  `json:"overdraft"`
}

// Posting moves Amount of Unit from one book to another.
type Posting struct {
	ID     string `json:"id"`
	Unit   string `json:"unit"`
	Amount int64  `json:"amount"`
	From   string `json:"from"`
	To     string `json:"to"`
	Entry  string `json:"entry"`
}

// Free returns what the posting does to the free part of a holding.
func (p Posting) Free() int64 {
	const free = "free"
	switch free {
	case p.To:
		return p.Amount
	case p.From:
		return -p.Amount
	}
	return 0
}

// Adjustment changes a member's points by hand.
type Adjustment struct {
	Unit      string    `json:"unit"`
	Amount    int64     `json:"amount"`
	Reason    string    `json:"reason"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// Reward is an entry of the catalogue.
type Reward struct {
	ID       uuid.UUID `json:"id,omitzero"`
	Name     string    `json:"name"`
	Unit     string    `json:"unit"`
	Cost     int64     `json:"cost"`
	Discount int64     `json:"discount"`
	Currency string    `json:"currency"`
	Active   bool      `json:"active"`
}

// VoucherNew issues a right to a reward.
type VoucherNew struct {
	Member uuid.UUID `json:"member"`
	Reward uuid.UUID `json:"reward"`
	Uses   int64     `json:"uses,omitempty"`
}

// Voucher is one issued right.
type Voucher struct {
	ID     uuid.UUID `json:"id"`
	Member uuid.UUID `json:"member"`
	Reward uuid.UUID `json:"reward"`
	Uses   int64     `json:"uses"`
	Left   int64     `json:"left"`
}

// Entry is a journal entry as HQ recorded it.
type Entry struct {
	Hash   string    `json:"hash"`
	Writer uuid.UUID `json:"writer"`
	Epoch  uint32    `json:"epoch"`
	Seq    uint64    `json:"seq"`
	Kind   string    `json:"kind"`
	State  string    `json:"state"`
}

// Exception is a fact that a person must look at.
type Exception struct {
	ID       string    `json:"id"`
	Cause    string    `json:"cause"`
	State    string    `json:"state"`
	Store    uuid.UUID `json:"store"`
	Terminal uuid.UUID `json:"terminal"`
	Member   uuid.UUID `json:"member"`
	Unit     string    `json:"unit"`
	Amount   int64     `json:"amount"`
	Detail   string    `json:"detail"`
	Entry    string    `json:"entry"`
}

// TrialBalance is the sum of every kind of account.
type TrialBalance struct {
	Lines    []TrialBalanceLine `json:"lines"`
	Balanced bool               `json:"balanced"`
}

// TrialBalanceLine is the sum of one kind of account in one unit.
type TrialBalanceLine struct {
	Unit    string `json:"unit"`
	Account string `json:"account"`
	Balance int64  `json:"balance"`
}

// Status is how HQ stands.
type Status struct {
	HQ             uuid.UUID `json:"hq"`
	Time           time.Time `json:"time"`
	Members        int64     `json:"members"`
	Entries        int64     `json:"entries"`
	Unapplied      int64     `json:"unapplied"`
	OpenExceptions int64     `json:"open_exceptions"`
	Adopted        int64     `json:"terminals_adopted"`
	FactsLost      int64     `json:"hq_facts_lost"`
	Exposure       struct {
		Unit     string `json:"unit"`
		Points   int64  `json:"points"`
		Vouchers int64  `json:"vouchers"`
	} `json:"exposure"`
}
