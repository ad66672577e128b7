package till_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/edge/till/tilltest"
)

// withReceipt lists the sales with a receipt number.
func (s *shop) withReceipt(t testing.TB, receipt string) []till.Found {
	t.Helper()
	list, more, err := s.till.Sales(context.Background(), till.SaleQuery{Receipt: receipt, Limit: 10})
	if err != nil && !errors.Is(err, tilltest.ErrKilled) || more {
		t.Fatalf("sales with receipt %s: %v, more %t", receipt, err, more)
	}
	return list
}

// keysOf pages through a list and returns the keys of its sales.
func (s *shop) keysOf(t testing.TB, q till.SaleQuery) (keys []string) {
	t.Helper()
	for more := true; more; {
		var list []till.Found
		var err error
		if list, more, err = s.till.Sales(context.Background(), q); err != nil {
			t.Fatal(err)
		}
		if len(list) > q.Limit || more && len(list) < q.Limit {
			t.Fatalf("a page of %d sales, more %t", len(list), more)
		}
		for _, f := range list {
			keys = append(keys, f.Sale.Body.Key)
			q.After = till.PlaceOf(f)
		}
	}
	return keys
}

func TestSalesAreListedNewestFirst(t *testing.T) {
	s := newShop(t, nil)
	var all, today []string
	for n := range 5 {
		key := fmt.Sprint("first ", n)
		s.commit(t, key, s.buy(t, 1000))
		all = append(all, key)
	}
	s.Pass(24 * time.Hour)
	for n := range 4 {
		c := tilltest.Commit(fmt.Sprint("second ", n), s.buy(t, 1000))
		c.Receipt = fmt.Sprint(n % 2)
		if _, err := s.till.Commit(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		all, today = append(all, c.Key), append(today, c.Key)
	}
	slices.Reverse(all)
	slices.Reverse(today)
	check := func(when string) {
		t.Helper()
		for limit := 1; limit < 11; limit++ {
			for name, list := range map[string]struct {
				q    till.SaleQuery
				want []string
			}{
				"all":       {till.SaleQuery{}, all},
				"a day":     {till.SaleQuery{Date: 20260311}, today},
				"receipt":   {till.SaleQuery{Receipt: "1"}, []string{"second 3", "second 1"}},
				"both":      {till.SaleQuery{Date: 20260311, Receipt: "0"}, []string{"second 2", "second 0"}},
				"other day": {till.SaleQuery{Date: 20260310, Receipt: "0"}, nil},
				"no day":    {till.SaleQuery{Date: 20260312}, nil},
			} {
				list.q.Limit = limit
				if got := s.keysOf(t, list.q); !slices.Equal(got, list.want) {
					t.Errorf("%s, %s, %d a page: %q, want %q", when, name, limit, got, list.want)
				}
			}
		}
	}
	check("at once")
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.open(t)
	check("after a restart")
	if err := s.till.Close(); err != nil {
		t.Fatal(err)
	}
	s.state = tilltest.NewState()
	s.open(t)
	check("with a new cache")
}
