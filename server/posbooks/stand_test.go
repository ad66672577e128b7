package posbooks_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/internal/testkit/shop"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/fleet"
	"github.com/tallystick/tallystick/server/posbooks"
	"github.com/tallystick/tallystick/sync/entry"
)

var ida = posbooks.Person{ID: uuid.NewSHA1(uuid.Nil, []byte("ida")), Name: "Ida"}

// stand is a shop with books.
type stand struct {
	*shop.Shop
	t     *testing.T
	books *posbooks.Service
	ends  time.Duration
}

func newStand(t *testing.T, hq *books.HQ) *stand {
	s := &stand{Shop: shop.New(t, hq), t: t}
	s.Of.Currency = "EUR"
	s.books = posbooks.New(posbooks.Env{
		Store: hq.DB, Fleet: s, Clock: hq.Clock, NewID: func() uuid.UUID { return uuid.Must(uuid.NewV7()) },
		Ends:    func(context.Context, uuid.UUID) (time.Duration, error) { return s.ends, nil },
		Virtual: func(name string) bool { return strings.HasPrefix(name, "web") },
	})
	return s
}

// sell writes a sale with a receipt number.
func (s *stand) sell(l *shop.Lane, receipt string, total, redeem int64) entry.Sale {
	sale := l.Sale(s.t, s.Ann, total, redeem)
	sale.Receipt = receipt
	l.Write(s.t, entry.KindSale, sale)
	return sale
}

var rules = posbooks.Rules{
	Format: posbooks.CSV, Expects: posbooks.ExpectAll, Minutes: 5, TimeFormat: "yyyy-MM-dd HH:mm",
	Columns: map[posbooks.Field]string{posbooks.FieldReceipt: "no", posbooks.FieldLane: "lane", posbooks.FieldTime: "time", posbooks.FieldAmount: "amount", posbooks.FieldKind: "kind"},
}

const head = "no,lane,time,amount,kind\n"

// begin uploads a file.
func (s *stand) begin(rules posbooks.Rules, file string) posbooks.Import {
	s.t.Helper()
	i, err := s.books.Begin(s.t.Context(), ida, s.Of.ID, "books.csv", int64(len(file)), rules)
	for n := 0; err == nil && i.Arrived < i.Size; n++ {
		i, err = s.books.AddPart(s.t.Context(), s.Of.ID, i.ID, n, []byte(file[i.Arrived:min(i.Size, i.Arrived+posbooks.PartSize)]))
	}
	s.must(err)
	return i
}

// bring uploads a file and has it read.
func (s *stand) bring(rules posbooks.Rules, file string) posbooks.Import {
	s.t.Helper()
	i := s.begin(rules, file)
	_, err := s.books.Run(s.t.Context(), s.Of.ID, i.ID, rules)
	s.must(err)
	s.round()
	i, err = s.books.Import(s.t.Context(), s.Of.ID, i.ID)
	s.must(err)
	return i
}

func (s *stand) round() {
	s.t.Helper()
	s.must(s.books.Late(s.t.Context()))
	s.must(s.books.Round(s.t.Context()))
}

func (s *stand) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// results lists what was found, without what matches unless all are asked for.
func (s *stand) results(all bool) string {
	s.t.Helper()
	reader := console.NewReader(s.DB, s.Clock, fleet.OnlineWithin, s.ID)
	page, err := reader.Page(s.t.Context(), console.Asked{List: "pos_results", Limit: 200, Filters: map[string]string{"store": s.Of.ID.String()}})
	s.must(err)
	var out []string
	for _, r := range page.Rows {
		cell := func(name string) any {
			return r[slices.IndexFunc(page.Columns, func(c console.Column) bool { return c.Name == name })]
		}
		if cell("outcome") == "matched" && !all {
			continue
		}
		out = append(out, fmt.Sprintf("%v %v %v/%v %v %v %v", cell("day"), cell("outcome"), cell("their_receipt"), cell("our_receipt"), cell("differs"), cell("amount"), cell("state")))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func (s *stand) want(want string) {
	s.t.Helper()
	if got := s.results(false); got != strings.TrimSpace(want) {
		s.t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
