package clearing

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/entry"
)

// Programme is the party that is not a franchisee: the company that runs the programme.
// It owns the stores that are assigned to nobody, issues what HQ gives, and stands
// between all parties.
var Programme = uuid.Nil

// Party is who settles. Code is short, unique, and part of the numbers of its documents.
type Party struct {
	ID        uuid.UUID `cbor:"1,keyasint"`
	Code      string    `cbor:"2,keyasint"`
	Name      string    `cbor:"3,keyasint"` // the legal name
	TaxNumber string    `cbor:"4,keyasint,omitempty"`
	Address   string    `cbor:"5,keyasint,omitempty"`
	Currency  string    `cbor:"6,keyasint"`           // ISO 4217, of amounts that no store gives one
	Language  string    `cbor:"7,keyasint"`           // of its documents, BCP 47
	Gross     bool      `cbor:"8,keyasint,omitempty"` // what it owes and is owed stand apart; else their difference
	Version   uint64    `cbor:"9,keyasint"`
}

// Assignment gives a store to a party from a date on, in the zone of the store.
type Assignment struct {
	Store uuid.UUID  `cbor:"1,keyasint"`
	Party uuid.UUID  `cbor:"2,keyasint"`
	From  entry.Date `cbor:"3,keyasint"`
}

// Price is what 1,000 of a unit are worth from a date on, in minor units of the currency.
// The unit of all uses of vouchers is [UnitUses].
type Price struct {
	Unit        string     `cbor:"1,keyasint"`
	Currency    string     `cbor:"2,keyasint"`
	From        entry.Date `cbor:"3,keyasint"`
	PerThousand int64      `cbor:"4,keyasint"`
}

// Payer says which side of a redemption pays a fee.
type Payer string

// Payers.
const (
	PaysHonouring Payer = "honouring" // the store where it was redeemed
	PaysIssuing   Payer = "issuing"   // the store where it was earned
)

// Fee is what the programme takes for redemptions from a date on: a part of the clearing
// amount, in hundredths of a percent, and an amount for 1,000 of a unit. A fee with both
// parts zero ends the one before.
type Fee struct {
	Code        string     `cbor:"1,keyasint"`
	From        entry.Date `cbor:"2,keyasint"`
	Unit        string     `cbor:"3,keyasint,omitempty"` // empty: of every unit
	Payer       Payer      `cbor:"4,keyasint"`
	BasisPoints int64      `cbor:"5,keyasint,omitempty"`
	PerThousand int64      `cbor:"6,keyasint,omitempty"` // minor units of Currency
	Currency    string     `cbor:"7,keyasint,omitempty"` // of PerThousand; only payers in it pay that part
	Own         bool       `cbor:"8,keyasint,omitempty"` // due also where the party redeems what it issued
}

// Tax is what is added to the fees of a party from a date on, in hundredths of a percent.
type Tax struct {
	Party       uuid.UUID  `cbor:"1,keyasint"`
	From        entry.Date `cbor:"2,keyasint"`
	BasisPoints int64      `cbor:"3,keyasint"`
}

// RateScale is the scale of [Rate].Billionths.
const RateScale = 1_000_000_000

// Rate says how much of Quote one of Base is from a date on, both in whole units, and who
// says so.
type Rate struct {
	Base       string     `cbor:"1,keyasint"`
	Quote      string     `cbor:"2,keyasint"`
	From       entry.Date `cbor:"3,keyasint"`
	Billionths int64      `cbor:"4,keyasint"`
	Source     string     `cbor:"5,keyasint"`
}

// Role is what an account of the chart is for.
type Role string

// Roles of accounts.
const (
	RoleReceivable Role = "receivable" // what a party owes
	RolePayable    Role = "payable"    // what a party is owed
	RoleExpense    Role = "expense"    // redemptions that the programme bears
	RoleIncome     Role = "income"     // debts of members that were repaid to the programme
	RoleFees       Role = "fees"       // what the programme takes for redemptions
	RoleTax        Role = "tax"        // tax on fees
	RoleExchange   Role = "exchange"   // between two currencies
)

// Roles are all roles, in their order.
var Roles = []Role{RoleReceivable, RolePayable, RoleExpense, RoleIncome, RoleFees, RoleTax, RoleExchange}

// Account is the account of the company's chart for a role; Party is the programme for the
// account of all parties that have none of their own.
type Account struct {
	Party uuid.UUID `cbor:"1,keyasint"`
	Role  Role      `cbor:"2,keyasint"`
	Code  string    `cbor:"3,keyasint"`
}

// Place is what settlement must know of a store.
type Place struct {
	ID       uuid.UUID `cbor:"1,keyasint"`
	Code     string    `cbor:"2,keyasint"`
	Name     string    `cbor:"3,keyasint"`
	Currency string    `cbor:"4,keyasint"`
	Zone     string    `cbor:"5,keyasint"` // IANA
}

// Terms are all that was agreed, as known at one moment. Lists are in the order in which
// they were recorded: of two with one date the later one counts. Build makes them ready.
type Terms struct {
	Parties     []Party
	Assignments []Assignment
	Prices      []Price
	Fees        []Fee
	Taxes       []Tax
	Rates       []Rate
	Accounts    []Account
	Places      []Place

	parties map[uuid.UUID]Party
	places  map[uuid.UUID]Place
	owners  dated[uuid.UUID, uuid.UUID]
	prices  dated[[2]string, int64]
	fees    dated[string, Fee]
	codes   []string // of fees, in order
	own     bool     // a fee is due also where a party redeems what it issued
	taxes   dated[uuid.UUID, int64]
	rates   dated[[2]string, Rate]
}

// dated is what holds from dates on.
type dated[K comparable, V any] map[K][]datedValue[V]

type datedValue[V any] struct {
	from  entry.Date
	value V
}

func (d dated[K, V]) put(k K, from entry.Date, v V) {
	list := d[k]
	i, found := slices.BinarySearchFunc(list, from, func(have datedValue[V], at entry.Date) int { return cmp.Compare(have.from, at) })
	if found {
		list[i].value = v
		return
	}
	d[k] = slices.Insert(list, i, datedValue[V]{from, v})
}

// at is what holds on a date, and since when.
func (d dated[K, V]) at(k K, on entry.Date) (v V, from entry.Date, ok bool) {
	list := d[k]
	i, found := slices.BinarySearchFunc(list, on, func(have datedValue[V], at entry.Date) int { return cmp.Compare(have.from, at) })
	if !found {
		i--
	}
	if i < 0 {
		return v, 0, false
	}
	return list[i].value, list[i].from, true
}

// Build makes the terms ready to be asked. The programme is a party even when nobody
// described it.
func (t *Terms) Build() *Terms {
	t.parties = map[uuid.UUID]Party{Programme: {ID: Programme, Code: "PROGRAMME", Name: "Programme", Language: "en"}}
	t.places = map[uuid.UUID]Place{}
	t.owners, t.prices, t.fees = dated[uuid.UUID, uuid.UUID]{}, dated[[2]string, int64]{}, dated[string, Fee]{}
	t.taxes, t.rates, t.codes, t.own = dated[uuid.UUID, int64]{}, dated[[2]string, Rate]{}, nil, false
	for _, p := range t.Parties {
		t.parties[p.ID] = p
	}
	for _, p := range t.Places {
		t.places[p.ID] = p
	}
	for _, a := range t.Assignments {
		t.owners.put(a.Store, a.From, a.Party)
	}
	for _, p := range t.Prices {
		t.prices.put([2]string{p.Unit, p.Currency}, p.From, p.PerThousand)
	}
	for _, f := range t.Fees {
		if !slices.Contains(t.codes, f.Code) {
			t.codes = append(t.codes, f.Code)
		}
		t.fees.put(f.Code, f.From, f)
		t.own = t.own || f.Own
	}
	slices.Sort(t.codes)
	for _, x := range t.Taxes {
		t.taxes.put(x.Party, x.From, x.BasisPoints)
	}
	for _, r := range t.Rates {
		t.rates.put([2]string{r.Base, r.Quote}, r.From, r)
	}
	return t
}

// Party returns a party, or problem.NotFound.
func (t *Terms) Party(id uuid.UUID) (Party, error) {
	if p, ok := t.parties[id]; ok {
		return p, nil
	}
	return Party{}, problem.New(problem.NotFound, "there is no such party")
}

// Named is a party as documents name it; one that nobody described has its id for a code.
func (t *Terms) Named(id uuid.UUID) Party {
	if p, ok := t.parties[id]; ok {
		return p
	}
	return Party{ID: id, Code: id.String()}
}

// Everybody is the programme and all parties, by their codes.
func (t *Terms) Everybody() []Party {
	out := make([]Party, 0, len(t.parties))
	for _, p := range t.parties {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Party) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// Place returns what is known of a store; one that nobody knows has only its id.
func (t *Terms) Place(store uuid.UUID) Place {
	if p, ok := t.places[store]; ok {
		return p
	}
	return Place{ID: store}
}

// PricesOn are the prices of a unit that hold on a date, one for each currency, by currency.
func (t *Terms) PricesOn(unit string, on entry.Date) []Price {
	var out []Price
	for key := range t.prices {
		if key[0] != unit {
			continue
		}
		if price, from, ok := t.prices.at(key, on); ok {
			out = append(out, Price{Unit: unit, Currency: key[1], From: from, PerThousand: price})
		}
	}
	slices.SortFunc(out, func(a, b Price) int { return cmp.Compare(a.Currency, b.Currency) })
	return out
}

// Owner is the party a store belongs to on a date. No store is the programme's own.
func (t *Terms) Owner(store uuid.UUID, on entry.Date) uuid.UUID {
	if store == uuid.Nil {
		return Programme
	}
	owner, _, _ := t.owners.at(store, on)
	return owner
}
