package store_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/books"
	"github.com/tallystick/tallystick/server/allowance"
	"github.com/tallystick/tallystick/server/ledger"
)

// A right that HQ did not give has no signature: no bytes, which is not no value.
func TestTheLogIsCopiedWithEmptyBytes(t *testing.T) {
	hq, again := books.New(t), books.New(t)
	account := ledger.AccountKey{Shard: 7, Account: uuid.NewSHA1(uuid.Nil, []byte("account"))}
	key := ledger.RightKey{UnitKey: ledger.UnitKey{AccountKey: account, Unit: "points"}, Right: uuid.NewSHA1(uuid.Nil, []byte("right"))}
	if err := hq.DB.PutGrant(t.Context(), allowance.Grant{RightKey: key, Told: 2}); err != nil {
		t.Fatal(err)
	}
	if err := hq.DB.CopyLog(t.Context(), again.DB); err != nil {
		t.Fatal(err)
	}
	if g, found, err := again.DB.Grant(t.Context(), key); err != nil || !found || g.Told != 2 {
		t.Errorf("%+v, %t, %v", g, found, err)
	}
}
