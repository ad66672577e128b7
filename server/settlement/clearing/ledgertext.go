package clearing

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
)

// Dialect is the language of a double-entry journal as text.
type Dialect string

// Dialects.
const (
	Hledger   Dialect = "hledger"
	Beancount Dialect = "beancount"
)

// Ledger sums the lines of a month up into the company's own books: the programme's, which
// stands between all parties.
type Ledger struct {
	terms   *Terms
	month   Month
	numbers map[uuid.UUID]string // of statements
	deeds   map[deedKey]*deed
}

// deedKey tells transactions apart.
type deedKey struct {
	from, to      uuid.UUID
	kind          Kind
	fee, unit     string
	of            Month
	debit, credit string
}

type deed struct{ debit, credit int64 }

// NewLedger begins the books of a month. Numbers are those of its statements, by party;
// before it is locked there are none.
func NewLedger(terms *Terms, month Month, numbers map[uuid.UUID]string) *Ledger {
	return &Ledger{terms: terms, month: month, numbers: numbers, deeds: map[deedKey]*deed{}}
}

// Add adds a line.
func (b *Ledger) Add(l Line) {
	key := deedKey{l.From, l.To, l.Kind, l.Fee, l.Unit, l.Of, l.Debit.Currency, l.Credit.Currency}
	d := b.deeds[key]
	if d == nil {
		d = &deed{}
		b.deeds[key] = d
	}
	d.debit += l.Debit.Minor // the book of statements has seen to it that it fits
	d.credit += l.Credit.Minor
}

// leg is one posting of a transaction.
type leg struct {
	account  string
	currency string
	minor    int64
}

// transaction is one deed in double entry.
type transaction struct {
	code  string
	about string
	legs  []leg
}

// roots are the roots of accounts, by what they are for.
var roots = map[Role]string{
	RoleReceivable: "Assets", RolePayable: "Liabilities", RoleExpense: "Expenses", RoleIncome: "Income",
	RoleFees: "Income", RoleTax: "Liabilities", RoleExchange: "Equity",
}

// account is the account of a party in a role: its own, or a part of the one for all.
func (b *Ledger) account(party uuid.UUID, role Role) (string, bool) {
	var own, all string
	for _, a := range b.terms.Accounts {
		switch {
		case a.Role != role:
		case a.Party == party && party != Programme:
			own = a.Code
		case a.Party == Programme:
			all = a.Code
		}
	}
	switch {
	case own != "":
		return roots[role] + ":" + own, true
	case all == "":
		return "", false
	case party == Programme:
		return roots[role] + ":" + all, true
	}
	return roots[role] + ":" + all + ":" + b.code(party), true
}

// code is a party's as accounts are named by it: without small letters.
func (b *Ledger) code(party uuid.UUID) string { return strings.ToUpper(b.terms.Named(party).Code) }

// NoAccount is a role for which the chart has no account of a party.
type NoAccount struct {
	Role  Role
	Party string // code
}

// transactions are what was added, in one order, and the accounts that are missing.
func (b *Ledger) transactions() ([]transaction, []NoAccount) {
	keys := make([]deedKey, 0, len(b.deeds))
	for k, d := range b.deeds {
		if d.debit != 0 || d.credit != 0 {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y deedKey) int {
		return cmp.Or(cmp.Compare(x.of, y.of), cmp.Compare(b.code(x.from), b.code(y.from)), cmp.Compare(b.code(x.to), b.code(y.to)), bytes.Compare(x.from[:], y.from[:]),
			bytes.Compare(x.to[:], y.to[:]), cmp.Compare(x.kind, y.kind), cmp.Compare(x.fee, y.fee), cmp.Compare(x.unit, y.unit), cmp.Compare(x.debit, y.debit), cmp.Compare(x.credit, y.credit))
	})
	missing := map[NoAccount]bool{}
	out := make([]transaction, 0, len(keys))
	for _, k := range keys {
		out = append(out, b.transaction(k, *b.deeds[k], missing))
	}
	return out, slices.SortedFunc(maps.Keys(missing), func(x, y NoAccount) int { return cmp.Or(cmp.Compare(x.Role, y.Role), cmp.Compare(x.Party, y.Party)) })
}

func (b *Ledger) transaction(k deedKey, d deed, missing map[NoAccount]bool) transaction {
	t := transaction{about: fmt.Sprintf("%s %s %s owes %s", b.month, what(k), b.code(k.from), b.code(k.to)), code: b.numbers[k.from]}
	if k.from == Programme || t.code == "" {
		t.code = b.numbers[k.to]
	}
	if k.of != 0 {
		t.about += " (corrects " + k.of.String() + ")"
	}
	put := func(party uuid.UUID, role Role, in string, minor int64) {
		name, ok := b.account(party, role)
		if !ok {
			missing[NoAccount{role, b.code(party)}] = true
		}
		if minor != 0 {
			t.legs = append(t.legs, leg{name, in, minor})
		}
	}
	if k.from == Programme {
		put(Programme, RoleExpense, k.debit, d.debit)
	} else {
		put(k.from, RoleReceivable, k.debit, d.debit)
	}
	if k.debit != k.credit {
		put(Programme, RoleExchange, k.debit, -d.debit)
		put(Programme, RoleExchange, k.credit, d.credit)
	}
	if k.to == Programme {
		put(Programme, earns(k.kind), k.credit, -d.credit)
	} else {
		put(k.to, RolePayable, k.credit, -d.credit)
	}
	return t
}

// earns is the role of the account for what the programme is owed.
func earns(k Kind) Role {
	switch k {
	case KindFee:
		return RoleFees
	case KindTax:
		return RoleTax
	}
	return RoleIncome
}

// what says what a transaction is for.
func what(k deedKey) string {
	if k.fee != "" {
		return string(k.kind) + " " + k.fee + ","
	}
	return k.unit + " " + string(k.kind) + ","
}

// Write writes the month as a double-entry journal. An account that the chart lacks is
// named, and nothing is written.
func (b *Ledger) Write(w io.Writer, dialect Dialect) ([]NoAccount, error) {
	deeds, missing := b.transactions()
	if len(missing) > 0 {
		return missing, nil
	}
	var text bytes.Buffer
	accounts, currencies := map[string]bool{}, map[string]bool{}
	for _, t := range deeds {
		for _, l := range t.legs {
			accounts[l.account], currencies[l.currency] = true, true
		}
	}
	fmt.Fprintf(&text, "; Settlement of %s\n\n", b.month)
	for _, c := range slices.Sorted(maps.Keys(currencies)) {
		text.WriteString(declareCurrency(dialect, b.month, c))
	}
	for _, a := range slices.Sorted(maps.Keys(accounts)) {
		text.WriteString(declareAccount(dialect, b.month, a))
	}
	for _, t := range deeds {
		writeTransaction(&text, dialect, b.month, t)
	}
	_, err := w.Write(text.Bytes())
	return nil, err
}

func declareCurrency(d Dialect, m Month, c string) string {
	if d == Beancount {
		return fmt.Sprintf("%s commodity %s\n", m.First(), c)
	}
	digits := currency.Digits(c)
	return "commodity 1000." + strings.Repeat("0", digits) + " " + c + "\n"
}

func declareAccount(d Dialect, m Month, a string) string {
	if d == Beancount {
		return fmt.Sprintf("%s open %s\n", m.First(), a)
	}
	return "account " + a + "\n"
}

func writeTransaction(w *bytes.Buffer, d Dialect, m Month, t transaction) {
	if d == Beancount {
		fmt.Fprintf(w, "\n%s * %s\n", m.Last(), strconv.Quote(t.about))
		if t.code != "" {
			fmt.Fprintf(w, "  statement: %s\n", strconv.Quote(t.code))
		}
	} else {
		code := ""
		if t.code != "" {
			code = "(" + t.code + ") "
		}
		fmt.Fprintf(w, "\n%s * %s%s\n", m.Last(), code, t.about)
	}
	for _, l := range t.legs {
		fmt.Fprintf(w, "  %-44s  %s %s\n", l.account, currency.Decimal(l.currency, l.minor), l.currency)
	}
}
