package face_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/face"
)

// A later look at the same balance is no change; another balance, code or state is one.
func TestDigestTellsChangesFromLooks(t *testing.T) {
	base := face.Face{Kind: face.KindMember, Subject: uuid.UUID{1}, Code: "TS1", Balances: []face.Balance{{Unit: "points", Amount: 10}}, AsOf: time.Unix(1, 0)}
	of := func(change func(*face.Face)) [32]byte {
		t.Helper()
		f := base
		f.Balances = append([]face.Balance(nil), base.Balances...)
		change(&f)
		d, err := f.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	same := of(func(*face.Face) {})
	if of(func(f *face.Face) { f.AsOf = time.Unix(99, 0) }) != same {
		t.Error("a later look is a change")
	}
	for name, change := range map[string]func(*face.Face){
		"balance": func(f *face.Face) { f.Balances[0].Amount++ },
		"code":    func(f *face.Face) { f.Code = "TS2" },
		"voided":  func(f *face.Face) { f.Voided = true },
		"tier":    func(f *face.Face) { f.Tier = &face.Tier{Key: "gold"} },
		"voucher": func(f *face.Face) { f.Vouchers = []face.Voucher{{Name: "x"}} },
	} {
		if of(change) == same {
			t.Errorf("%s: no change", name)
		}
	}
}
