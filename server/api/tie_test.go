package api_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/shard"
)

func TestAMemberIsTiedToAStoreByHand(t *testing.T) {
	r := newRig(t)
	store, member := r.made("/api/v1/stores", storeBody), r.made("/api/v1/members", `{"alias":"Ann"}`)
	tie := func(member, store string) answer {
		return r.do(call{method: "POST", path: "/api/v1/members/" + member + "/ties", body: jsonOf(map[string]string{"store": store})})
	}
	for range 2 {
		if a := tie(member, store); a.status != http.StatusCreated {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	accounts, err := r.db.AccountsOfMembers(t.Context(), []uuid.UUID{uuid.MustParse(member)})
	r.must(err)
	ties, err := r.db.TiesOf(t.Context(), shard.Of(accounts[uuid.MustParse(member)]), uuid.MustParse(member))
	if err != nil || len(ties) != 1 || ties[0].Store.String() != store || ties[0].VisitedAt != r.clock.Now().UnixMilli() {
		t.Errorf("%+v, %v", ties, err)
	}
	if a := tie(member, uuid.NewString()); a.code() != problem.InvalidField {
		t.Errorf("no such store: %d %s", a.status, a.body)
	}
	if a := tie(uuid.NewString(), store); a.code() != problem.NotFound {
		t.Errorf("no such member: %d %s", a.status, a.body)
	}
}
