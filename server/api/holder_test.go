package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestOnlySupportAndAdministratorsReadWhatShoppersTold(t *testing.T) {
	r := newRig(t)
	b := &browser{rig: r}
	ann := b.join(annJoins)
	find := func(email string) []string {
		t.Helper()
		var found struct {
			Items []struct {
				Member struct{ ID string }
				State  string `json:"email_state"`
			}
		}
		a := r.do(call{method: "POST", path: "/api/v1/members/find", body: jsonOf(map[string]string{"email": email})})
		if a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		a.into(t, &found)
		out := []string{}
		for _, f := range found.Items {
			out = append(out, f.Member.ID+" "+f.State)
		}
		return out
	}
	if a := b.open(r.mails("ann@example.org")[0]); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	(&browser{rig: r}).join(annJoins)
	if got := find(" ANN@Example.org "); len(got) != 2 || got[0] != ann.Member.String()+" confirmed" || !strings.HasSuffix(got[1], " unconfirmed") {
		t.Errorf("%v", got)
	}
	if got := find("ann@example.or"); len(got) != 0 {
		t.Errorf("a part of an address finds %v", got)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/members/find", body: `{"email":"%"}`}); a.status != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", a.status, a.body)
	}
	holder := call{method: "GET", path: "/api/v1/members/" + ann.Member.String() + "/holder"}
	if a := r.do(holder); a.status != http.StatusOK || !strings.Contains(string(a.body), `"email":"ann@example.org"`) || !strings.Contains(string(a.body), `"purpose":"mail_offers"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/lists/acts"}); !strings.Contains(string(a.body), "FindMembers") || strings.Contains(strings.ToLower(string(a.body)), "example.or") {
		t.Errorf("the audit log says %s", a.body)
	}
	admin := r.token
	for role, want := range map[string]int{"support": http.StatusOK, "finance": http.StatusForbidden, "marketing": http.StatusForbidden, "operations": http.StatusForbidden} {
		r.token = admin
		r.made("/api/v1/people", `{"name":"`+role+`","role":"`+role+`","password":"a horse and a cart"}`)
		r.token = r.signIn(role, "a horse and a cart")
		if a := r.do(holder); a.status != want {
			t.Errorf("%s reads: %d", role, a.status)
		}
		if a := r.do(call{method: "POST", path: "/api/v1/members/find", body: `{"email":"ann@example.org"}`}); a.status != want {
			t.Errorf("%s finds: %d", role, a.status)
		}
	}
}
