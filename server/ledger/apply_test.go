package ledger_test

import (
	"testing"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/ledger"
)

func TestSaleEarnsAndRedeems(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 500)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2500, 200)
	till.Sync(t, 1)
	hq.Apply(t)
	if h := hq.Holding(t, account, "points"); h.Free != 500-200+23 || h.Overdraft != 0 {
		t.Errorf("points: %+v", h)
	}
	if h := hq.Holding(t, account, "cups"); h.Pending != 2 || h.Free != 0 {
		t.Errorf("cups: %+v", h)
	}
	if list := hq.Exceptions(t, ""); len(list) != 0 {
		t.Errorf("exceptions: %+v", list)
	}
}

func TestOverdrawIsAnExceptionWithItsAmountAndRepaid(t *testing.T) {
	hq := books.New(t)
	account := hq.Member(t, "ann", 100)
	till := hq.Till(t, "1")
	till.Sell(t, account, 2000, 150)
	till.Sync(t, 1)
	hq.Apply(t)
	list := hq.Exceptions(t, ledger.Overdraw)
	if len(list) != 1 || list[0].Amount != 50 || list[0].Money != 50 || list[0].Liable != "programme" {
		t.Fatalf("exceptions: %+v", list)
	}
	if h := hq.Holding(t, account, "points"); h.Free != 0 || h.Overdraft != 50-18 {
		t.Errorf("points: %+v", h)
	}
}
