package settlement

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/internal/loyalty"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/settlement/clearing"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// MostTerms is how many terms there may be: all are in memory while a month is drafted.
const MostTerms = 200_000

var (
	codeShape     = regexp.MustCompile(`^[A-Z0-9](?:[A-Z0-9-]{0,14}[A-Z0-9])?$`)
	accountShape  = regexp.MustCompile(`^[A-Z0-9][A-Za-z0-9-]{0,39}$`)
	unitShape     = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	languageShape = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// wrong collects what is wrong with a term: JSON pointer to reason.
type wrong map[string]string

func (w wrong) unless(ok bool, pointer, reason string) {
	if !ok {
		w[pointer] = reason
	}
}

func (w wrong) text(pointer, value string, least, most int) {
	n := utf8.RuneCountInString(value)
	clean := !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c == 0x7f })
	w.unless(utf8.ValidString(value) && clean && n >= least && n <= most, pointer, "is too short, too long or not printable")
}

func (w wrong) currency(pointer, value string) {
	w.unless(currency.IsCode(value), pointer, "must be an ISO 4217 code")
}

func (w wrong) from(d entry.Date) { w.unless(d.Valid(), "/from", "must be a date") }

func (w wrong) err(what string) error {
	if len(w) == 0 {
		return nil
	}
	return &problem.Error{Code: problem.InvalidField, Detail: what, Fields: w}
}

// PutParty describes a party; one that is new gets an id. A code that another party has, or
// ever had, is refused: it is in the numbers of that party's documents. So is a version that
// is not the last.
func (s *Service) PutParty(ctx context.Context, by uuid.UUID, p Party, isNew bool) (Party, error) {
	p.Name, p.TaxNumber, p.Address = strings.TrimSpace(p.Name), strings.TrimSpace(p.TaxNumber), strings.TrimSpace(p.Address)
	w := wrong{}
	w.unless(codeShape.MatchString(p.Code), "/code", "must be 1 to 16 capital letters, digits and dashes")
	w.text("/name", p.Name, 1, 200)
	w.text("/tax_number", p.TaxNumber, 0, 40)
	w.text("/address", strings.ReplaceAll(p.Address, "\n", " "), 0, 400)
	w.currency("/currency", p.Currency)
	w.unless(languageShape.MatchString(p.Language), "/language", "must be a language tag")
	if err := w.err("the party cannot be kept so"); err != nil {
		return Party{}, err
	}
	if isNew {
		p.ID = s.env.NewID()
	}
	version := p.Version // the transaction may be repeated
	err := s.add(ctx, by, SortParty, p.ID, func(t *clearing.Terms) (any, error) {
		was, err := t.Party(p.ID)
		if err != nil && !isNew {
			return nil, err
		}
		if version != was.Version {
			return nil, problem.New(problem.Conflict, "the party was changed meanwhile")
		}
		if taken(t, p) {
			return nil, &problem.Error{Code: problem.InvalidField, Detail: "the code is another party's, or was", Fields: wrong{"/code": "is another party's, or was"}}
		}
		p.Version = was.Version + 1
		return p, nil
	})
	return p, err
}

// taken says whether another party has the code of one, or ever had it. The programme has
// one before anybody describes it.
func taken(t *clearing.Terms, p Party) bool {
	unnamed, _ := new(clearing.Terms).Build().Party(clearing.Programme)
	return slices.ContainsFunc(append(slices.Clone(t.Parties), unnamed), func(o Party) bool { return o.Code == p.Code && o.ID != p.ID })
}

// Assign gives a store to a party from a date on.
func (s *Service) Assign(ctx context.Context, by uuid.UUID, a clearing.Assignment) error {
	w := wrong{}
	w.from(a.From)
	if err := w.err("the store cannot be assigned so"); err != nil {
		return err
	}
	return s.addNew(ctx, by, SortAssignment, func(t *clearing.Terms) (any, error) {
		if t.Place(a.Store).Code == "" {
			return nil, problem.New(problem.NotFound, "there is no such store")
		}
		_, err := t.Party(a.Party)
		return a, err
	})
}

// SetPrice sets what 1,000 of a unit are worth from a date on.
func (s *Service) SetPrice(ctx context.Context, by uuid.UUID, p clearing.Price) error {
	w := wrong{}
	w.from(p.From)
	w.currency("/currency", p.Currency)
	w.unless(unitShape.MatchString(p.Unit), "/unit", "must be a unit, or uses")
	w.unless(p.PerThousand >= 0 && p.PerThousand <= loyalty.MaxAmount, "/per_thousand", "is out of range")
	return s.addChecked(ctx, by, SortPrice, w, p)
}

// SetFee sets a fee from a date on.
func (s *Service) SetFee(ctx context.Context, by uuid.UUID, f clearing.Fee) error {
	w := wrong{}
	w.from(f.From)
	w.unless(codeShape.MatchString(f.Code), "/code", "must be 1 to 16 capital letters, digits and dashes")
	w.unless(f.Unit == "" || unitShape.MatchString(f.Unit), "/unit", "must be a unit, or uses")
	w.unless(f.Payer == clearing.PaysHonouring || f.Payer == clearing.PaysIssuing, "/payer", "must be honouring or issuing")
	w.unless(f.BasisPoints >= 0 && f.BasisPoints <= 10_000, "/basis_points", "must be 0 to 10000")
	w.unless(f.PerThousand >= 0 && f.PerThousand <= loyalty.MaxAmount, "/per_thousand", "is out of range")
	if f.PerThousand != 0 || f.Currency != "" {
		w.currency("/currency", f.Currency)
	}
	return s.addChecked(ctx, by, SortFee, w, f)
}

// SetTax sets the tax on a party's fees from a date on.
func (s *Service) SetTax(ctx context.Context, by uuid.UUID, x clearing.Tax) error {
	w := wrong{}
	w.from(x.From)
	w.unless(x.BasisPoints >= 0 && x.BasisPoints <= 10_000, "/basis_points", "must be 0 to 10000")
	if err := w.err("the term cannot be kept so"); err != nil {
		return err
	}
	return s.addNew(ctx, by, SortTax, func(t *clearing.Terms) (any, error) {
		_, err := t.Party(x.Party)
		return x, err
	})
}

// SetRate sets how much of a currency one of another is from a date on.
func (s *Service) SetRate(ctx context.Context, by uuid.UUID, r clearing.Rate) error {
	r.Source = strings.TrimSpace(r.Source)
	w := wrong{}
	w.from(r.From)
	w.currency("/base", r.Base)
	w.currency("/quote", r.Quote)
	w.unless(r.Base != r.Quote, "/quote", "must be another currency")
	w.unless(r.Billionths > 0 && r.Billionths <= loyalty.MaxAmount, "/rate", "is out of range")
	w.text("/source", r.Source, 1, 100)
	return s.addChecked(ctx, by, SortRate, w, r)
}

// SetAccount names the account of the chart for a role, of one party or of all.
func (s *Service) SetAccount(ctx context.Context, by uuid.UUID, a clearing.Account) error {
	w := wrong{}
	w.unless(slices.Contains(clearing.Roles, a.Role), "/role", "is not a role")
	w.unless(accountShape.MatchString(a.Code), "/code", "must begin with a capital letter or a digit and have letters, digits and dashes only")
	if err := w.err("the term cannot be kept so"); err != nil {
		return err
	}
	return s.addNew(ctx, by, SortAccount, func(t *clearing.Terms) (any, error) {
		_, err := t.Party(a.Party)
		return a, err
	})
}

func (s *Service) addChecked(ctx context.Context, by uuid.UUID, sort Sort, w wrong, body any) error {
	if err := w.err("the term cannot be kept so"); err != nil {
		return err
	}
	return s.addNew(ctx, by, sort, func(*clearing.Terms) (any, error) { return body, nil })
}

func (s *Service) addNew(ctx context.Context, by uuid.UUID, sort Sort, made func(*clearing.Terms) (any, error)) error {
	return s.add(ctx, by, sort, s.env.NewID(), made)
}

// add records a term behind all others, with HQ's own entry about it. A price, fee or rate
// depends on no other term, so that a long list of them is not read again for each.
func (s *Service) add(ctx context.Context, by uuid.UUID, sort Sort, id uuid.UUID, made func(*clearing.Terms) (any, error)) error {
	return s.env.Store.InTx(ctx, func(ctx context.Context) error {
		last, err := s.env.Store.LastSettlementTerm(ctx)
		if err != nil {
			return fmt.Errorf("count terms: %w", err)
		}
		if last >= MostTerms {
			return problem.Newf(problem.StateConflict, "there are %d terms, and no room for more", MostTerms)
		}
		terms := new(clearing.Terms).Build()
		if sort == SortParty || sort == SortAssignment || sort == SortTax || sort == SortAccount {
			if terms, err = s.partiesNow(ctx); err != nil {
				return err
			}
		}
		body, err := made(terms)
		if err != nil {
			return err
		}
		t := Term{Number: last + 1, Sort: sort, ID: id, By: by, RecordedAt: s.env.Clock.Now().UnixMilli()}
		if t.Body, err = wire.Marshal(body); err != nil {
			return err
		}
		if err := s.env.Store.AddSettlementTerm(ctx, t); err != nil {
			return fmt.Errorf("record term: %w", err)
		}
		return s.env.Journal.Append(ctx, hqjournal.Fact{
			Shard: shard.Of(uuid.Nil), Kind: entry.KindHQSettlementTerm, NotBefore: t.RecordedAt,
			Body: entry.HQSettlementTerm{Number: t.Number, Term: string(sort), ID: id, Record: t.Body, By: by},
		})
	})
}

// partiesNow are the parties and the stores.
func (s *Service) partiesNow(ctx context.Context) (*clearing.Terms, error) {
	t := &clearing.Terms{}
	if err := s.eachTerm(ctx, SortParty, 0, func(term Term) error { return take(t, term) }); err != nil {
		return nil, err
	}
	places, err := s.env.Places(ctx)
	if err != nil {
		return nil, fmt.Errorf("read stores: %w", err)
	}
	t.Places = places
	return t.Build(), nil
}

// Terms are all that was agreed, ready to be asked, and the number of the last of it.
func (s *Service) Terms(ctx context.Context) (*clearing.Terms, uint64, error) {
	t, last := &clearing.Terms{}, uint64(0)
	err := s.eachTerm(ctx, "", 0, func(term Term) error {
		last = term.Number
		return take(t, term)
	})
	if err != nil {
		return nil, 0, err
	}
	if t.Places, err = s.env.Places(ctx); err != nil {
		return nil, 0, fmt.Errorf("read stores: %w", err)
	}
	return t.Build(), last, nil
}

// PricesOn are the prices of a unit that hold on a date, one for each currency, by currency.
// It reads no other sort of term.
func (s *Service) PricesOn(ctx context.Context, unit string, on entry.Date) ([]clearing.Price, error) {
	t := &clearing.Terms{}
	if err := s.eachTerm(ctx, SortPrice, 0, func(term Term) error { return take(t, term) }); err != nil {
		return nil, err
	}
	return t.Build().PricesOn(unit, on), nil
}

// termsAtOnce is how many terms are read at once.
const termsAtOnce = 1000

func (s *Service) eachTerm(ctx context.Context, sort Sort, after uint64, fn func(Term) error) error {
	for {
		list, err := s.env.Store.SettlementTerms(ctx, sort, after, termsAtOnce)
		if err != nil {
			return fmt.Errorf("read terms: %w", err)
		}
		for _, t := range list {
			if err := fn(t); err != nil {
				return err
			}
			after = t.Number
		}
		if len(list) < termsAtOnce {
			return nil
		}
	}
}

// take adds a term as kept to terms.
func take(t *clearing.Terms, term Term) (err error) {
	switch term.Sort {
	case SortParty:
		err = into(&t.Parties, term.Body)
	case SortAssignment:
		err = into(&t.Assignments, term.Body)
	case SortPrice:
		err = into(&t.Prices, term.Body)
	case SortFee:
		err = into(&t.Fees, term.Body)
	case SortTax:
		err = into(&t.Taxes, term.Body)
	case SortRate:
		err = into(&t.Rates, term.Body)
	case SortAccount:
		err = into(&t.Accounts, term.Body)
	}
	if err != nil {
		return fmt.Errorf("read term %d: %w", term.Number, err)
	}
	return nil
}

func into[T any](list *[]T, raw []byte) error {
	v, err := wire.Unmarshal[T](raw)
	*list = append(*list, v)
	return err
}

// Kept is a term with who recorded it and when.
type Kept[T any] struct {
	Number     uint64
	RecordedAt int64
	By         uuid.UUID
	Term       T
}

// List returns terms of a sort with numbers above after, in the order in which they were
// recorded.
func List[T any](ctx context.Context, s *Service, sort Sort, after uint64, limit int) ([]Kept[T], error) {
	list, err := s.env.Store.SettlementTerms(ctx, sort, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list terms: %w", err)
	}
	out := make([]Kept[T], 0, len(list))
	for _, t := range list {
		v, err := wire.Unmarshal[T](t.Body)
		if err != nil {
			return nil, fmt.Errorf("read term %d: %w", t.Number, err)
		}
		out = append(out, Kept[T]{t.Number, t.RecordedAt, t.By, v})
	}
	return out, nil
}

// Parties are all parties as they are now, the programme among them, by their codes.
func (s *Service) Parties(ctx context.Context) ([]Party, error) {
	t, err := s.partiesNow(ctx)
	if err != nil {
		return nil, err
	}
	return t.Everybody(), nil
}

// changedSince is the first date for which a term recorded behind a number holds; zero
// when there is none.
func (s *Service) changedSince(ctx context.Context, number uint64) (entry.Date, error) {
	t := &clearing.Terms{}
	if err := s.eachTerm(ctx, "", number, func(term Term) error { return take(t, term) }); err != nil {
		return 0, err
	}
	dates := slices.Concat(
		datesOf(t.Assignments, func(v clearing.Assignment) entry.Date { return v.From }),
		datesOf(t.Prices, func(v clearing.Price) entry.Date { return v.From }),
		datesOf(t.Fees, func(v clearing.Fee) entry.Date { return v.From }),
		datesOf(t.Taxes, func(v clearing.Tax) entry.Date { return v.From }),
		datesOf(t.Rates, func(v clearing.Rate) entry.Date { return v.From }),
	)
	if len(dates) == 0 {
		return 0, nil
	}
	return slices.Min(dates), nil
}

func datesOf[T any](list []T, from func(T) entry.Date) []entry.Date {
	out := make([]entry.Date, len(list))
	for i, v := range list {
		out[i] = from(v)
	}
	return out
}
