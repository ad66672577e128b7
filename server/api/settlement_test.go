package api_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/settlement/clearing"
)

const partyBody = `{"code":"NORTH","name":"North Ltd","tax_number":"TR 1","currency":"EUR","language":"en"}`

func init() {
	scenarios["settlement"] = []step{
		{"GET", "/api/v1/settlement/parties", "", 200, []string{`"code":"PROGRAMME"`}, []string{"NORTH"}, "", ""},
		{"POST", "/api/v1/settlement/parties", partyBody, 201, []string{`"version":1`, `"gross":false`}, nil, "north", anyID},
		{"POST", "/api/v1/settlement/parties", partyBody, 422, []string{`"/code"`}, nil, "", ""},
		{"POST", "/api/v1/settlement/parties", strings.Replace(partyBody, "NORTH", "", 1), 422, []string{`"/code"`}, nil, "", ""},
		{"PUT", "/api/v1/settlement/parties/{north}", strings.Replace(partyBody, `"code"`, `"version":1,"gross":true,"code"`, 1), 200, []string{`"version":2`, `"gross":true`}, nil, "", ""},
		{"PUT", "/api/v1/settlement/parties/{north}", strings.Replace(partyBody, `"code"`, `"version":1,"code"`, 1), 409, nil, nil, "", ""},
		{"PUT", "/api/v1/settlement/parties/" + nobody, strings.Replace(partyBody, `"code"`, `"version":0,"code"`, 1), 404, nil, nil, "", ""},
		{"POST", "/api/v1/stores", storeBody, 201, nil, nil, "store", anyID},
		{"POST", "/api/v1/settlement/terms", `{"assignment":{"store":"{store}","party":"{north}","from":"2026-01-01"}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"assignment":{"store":"{north}","party":"{north}","from":"2026-01-01"}}`, 404, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"price":{"unit":"points","currency":"EUR","from":"2026-01-01","per_thousand":1000}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"price":{"unit":"points","currency":"EUR","from":"2026-01-01","per_thousand":-1}}`, 422, []string{`"/per_thousand"`}, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"rate":{"base":"TRY","quote":"EUR","from":"2026-01-01","rate":"0.021345678","source":"ECB"}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"rate":{"base":"TRY","quote":"TRY","from":"2026-01-01","rate":"0","source":""}}`, 422, []string{`"/quote"`, `"/rate"`, `"/source"`}, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"fee":{"code":"CLEARING","from":"2026-01-01","payer":"honouring","basis_points":250}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"tax":{"party":"{north}","from":"2026-01-01","basis_points":1900}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"account":{"role":"fees","code":"8400"}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"account":{"role":"fees","code":"a b"}}`, 422, []string{`"/code"`}, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{}`, 422, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"price":{"unit":"points","currency":"EUR","from":"2026-01-01","per_thousand":1},"account":{"role":"fees","code":"8400"}}`, 422, nil, nil, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=rate", "", 200, []string{`"rate":"0.021345678"`, `"source":"ECB"`}, []string{"next"}, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=assignment", "", 200, []string{`"from":"2026-01-01"`}, nil, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=fee", "", 200, []string{`"basis_points":250`}, []string{`"unit"`}, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=tax", "", 200, []string{`"basis_points":1900`}, nil, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=account", "", 200, []string{`"code":"8400"`}, nil, "", ""},
		{"GET", "/api/v1/settlement/terms?sort=price&cursor=nonsense", "", 400, []string{"cursor_invalid"}, nil, "", ""},
		{"GET", "/api/v1/settlement/months", "", 200, []string{`"items":[]`}, nil, "", ""},
		{"GET", "/api/v1/settlement/months/2026-01", "", 200, []string{`"state":"open"`, `"missing":[]`}, nil, "", ""},
		{"GET", "/api/v1/settlement/months/2026-13", "", 404, nil, nil, "", ""},
		{"GET", "/api/v1/settlement/months/2026-01/preview", "", 200, []string{`"month":"2026-01"`, `"items":[]`}, nil, "", ""},
		{"GET", "/api/v1/settlement/months/2026-13/preview", "", 404, nil, nil, "", ""},
		{"GET", "/api/v1/settlement/months/2026-01/statements", "", 404, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/months/2026-01/lock", "", 404, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/months/2999-01/draft", "", 409, []string{"not over"}, nil, "", ""},
	}
}

// A month goes from open to locked by two people; its statement, lines, file and books are
// read on the way.
func TestAMonthIsSettledOverTheAPI(t *testing.T) {
	r := newRig(t)
	r.play([]step{
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`, 200, nil, nil, "", ""},
		{"POST", "/api/v1/stores", storeBody, 201, nil, nil, "store", anyID},
		{"POST", "/api/v1/settlement/parties", partyBody, 201, nil, nil, "north", anyID},
		{"POST", "/api/v1/settlement/terms", `{"assignment":{"store":"{store}","party":"{north}","from":"2020-01-01"}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"price":{"unit":"points","currency":"EUR","from":"2020-01-01","per_thousand":1000}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/settlement/terms", `{"account":{"role":"expense","code":"4800"}}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/rewards", rewardBody, 201, nil, nil, "reward", anyID},
		{"POST", "/api/v1/members", `{"alias":"Ann"}`, 201, nil, nil, "ann", anyID},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"points","amount":150,"reason":"opening_balance"}`, 201, nil, nil, "", ""},
		settled,
		{"POST", "/api/v1/sales", `{"basket":{` + basket + `}}`, 201, nil, nil, "", ""},
		settled,
	})
	before := r.clock.Now()
	month := "/api/v1/settlement/months/" + before.Format("2006-01")
	r.must(r.settlement.Round(context.Background()))
	if a := r.do(call{method: "GET", path: month + "/preview"}); a.status != 200 || !strings.Contains(string(a.body), `"net":100`) || !strings.Contains(string(a.body), `"state":"preview"`) || strings.Contains(string(a.body), `"counterparty"`) {
		t.Errorf("preview: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: month + "/preview?party=" + clearing.Programme.String()}); a.status != 200 || !strings.Contains(string(a.body), `"counterparty_code":"NORTH"`) {
		t.Errorf("preview of the programme: %d %s", a.status, a.body)
	}
	r.clock.Advance(time.Date(before.Year(), before.Month()+1, 2, 12, 0, 0, 0, time.UTC).Sub(before))
	r.token = r.signIn(adminName, adminPassword)
	if a := r.do(call{method: "POST", path: month + "/draft"}); a.status != 202 || !strings.Contains(string(a.body), `"drafting"`) {
		t.Fatalf("draft: %d %s", a.status, a.body)
	}
	if a := r.do(call{method: "GET", path: month + "/statements"}); a.status != 409 {
		t.Errorf("statements of a month that is being drafted: %d %s", a.status, a.body)
	}
	r.must(r.settlement.Round(context.Background()))
	if a := r.do(call{method: "GET", path: month}); !strings.Contains(string(a.body), `"drafted"`) {
		t.Errorf("after a round: %s", a.body)
	}
	if a := r.do(call{method: "POST", path: month + "/lock"}); a.status != 403 {
		t.Errorf("one person drafted and locked: %d %s", a.status, a.body)
	}
	r.as(people.Marketing, func() {
		if a := r.do(call{method: "POST", path: month + "/lock"}); a.status != 403 {
			t.Errorf("marketing locked a month: %d", a.status)
		}
	})
	var drafted struct {
		CutAt time.Time `json:"cut_at"`
	}
	r.do(call{method: "GET", path: month}).into(t, &drafted)
	r.as(people.Finance, func() {
		if a := r.do(call{method: "POST", path: month + "/lock?cut_at=" + drafted.CutAt.Add(-time.Second).Format(time.RFC3339Nano)}); a.status != 409 || !strings.Contains(string(a.body), "drafted anew") {
			t.Errorf("locked another draft than the one looked at: %d %s", a.status, a.body)
		}
		if a := r.do(call{method: "POST", path: month + "/lock?cut_at=" + drafted.CutAt.Format(time.RFC3339Nano)}); a.status != 200 || !strings.Contains(string(a.body), `"locked"`) {
			t.Errorf("lock: %d %s", a.status, a.body)
		}
	})
	r.readSettled(month, before.Format("2006"))
}

// readSettled reads a locked month as finance does: its statements and lines, files, and
// the books, which need a chart of accounts.
func (r *rig) readSettled(month, year string) {
	t := r.t
	t.Helper()
	if a := r.do(call{method: "GET", path: month + "/books?dialect=hledger"}); a.status != 409 || !strings.Contains(string(a.body), "payable of NORTH") {
		t.Errorf("books without a chart: %d %s", a.status, a.body)
	}
	r.play([]step{{"POST", "/api/v1/settlement/terms", `{"account":{"role":"payable","code":"1600"}}`, 201, nil, nil, "", ""}})
	var parties struct{ Items []struct{ ID, Code string } }
	r.do(call{method: "GET", path: "/api/v1/settlement/parties"}).into(t, &parties)
	north := parties.Items[0].ID
	for path, want := range map[string]string{
		"/statements":                                `"number":"NORTH-` + year + `-0001"`,
		"/statements?limit=1":                        `"next"`,
		"/statements/" + north:                       `"net":100`,
		"/statements/" + north + "/lines":            `"points":100`,
		"/lines/1/postings":                          `"account"`,
		"/statements/" + north + "/file?format=csv":  "PROGRAMME,NORTH,,s1,points,100,1000,EUR,100,EUR,100",
		"/statements/" + north + "/file?format=xlsx": "PK",
		"/books?dialect=hledger":                     "Liabilities:1600:NORTH",
		"/books?dialect=beancount":                   "open Liabilities:1600:NORTH",
	} {
		if a := r.do(call{method: "GET", path: month + path}); a.status != 200 || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for path, status := range map[string]int{"/lines/2/postings": 404, "/statements/" + nobody: 404, "/lines/1/postings?cursor=x": 400, "/books?dialect=ledger": 422} {
		if a := r.do(call{method: "GET", path: month + path}); a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
