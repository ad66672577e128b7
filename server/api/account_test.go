package api_test

import (
	"context"
	"time"
)

// settle carries out what waits: entries to apply, moves to arrive, links, lists.
// A second passes, so that what comes after also takes effect after.
func (r *rig) settle() {
	r.t.Helper()
	r.clock.Advance(time.Second)
	for n := 1; n > 0; {
		applied, err := r.ledger.Apply(context.Background())
		r.must(err)
		settled, err := r.accounts.Settle(context.Background())
		r.must(err)
		n = applied + settled
	}
}

// settled is the step that calls settle.
var settled = step{method: "SETTLE"}

const giveBody = `{"to":"{bob}","unit":"points","amount":120,"reason":"goodwill"}`

func init() {
	start := []step{
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`, 200, nil, nil, "", ""},
		{"POST", "/api/v1/members", `{"alias":"Ann","reference":"C-1"}`, 201, nil, nil, "ann", anyID},
		{"POST", "/api/v1/members", `{"alias":"Bob","reference":"C-2"}`, 201, nil, nil, "bob", anyID},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"points","amount":100,"reason":"opening_balance","expires_at":"2027-01-01T00:00:00Z"}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"points","amount":50,"reason":"opening_balance"}`, 201, nil, nil, "", ""},
	}
	scenarios["transfers"] = append(start[:len(start):len(start)], []step{
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"free":150`, `"next_expiry":{"amount":100,"at":"2027-01-01T00:00:00Z"}`, `"entry":"`, `"links":[]`}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", giveBody, 201, []string{`"state":"moving"`, `"amount":120`}, nil, "transfer", anyID},
		{"GET", "/api/v1/ledger/trial-balance", "", 200, []string{`"account":"clearing","balance":120`, `"balanced":true`}, nil, "", ""},
		settled,
		{"GET", "/api/v1/transfers/{transfer}", "", 200, []string{`"state":"arrived"`}, nil, "", ""},
		{"GET", "/api/v1/members/{bob}/account", "", 200, []string{`"free":120`, `"next_expiry":{"amount":100,"at":"2027-01-01T00:00:00Z"}`}, nil, "", ""},
		{"GET", "/api/v1/members/{bob}/history?limit=1", "", 200, []string{`"source":{`, `"kind":"hq_transfer_in"`, `"next":"`}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/balances?as_of=2026-06-01T10:00:00Z", "", 200, []string{`"balance":30`, `"unit":"points"`}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/balances?as_known=2026-05-01T10:00:00Z", "", 200, []string{`"balances":[]`}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/balances", "", 422, []string{`"as_of"`}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", giveBody, 422, []string{"points_insufficient"}, nil, "", ""},
		{"POST", "/api/v1/members/{bob}/transfers", giveBody, 409, []string{"account_same"}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", `{"to":"{bob}","unit":"points","amount":0,"reason":"goodwill"}`, 422, []string{`"/amount"`}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", `{"to":"{bob}","unit":"points","amount":-1,"reason":"goodwill"}`, 422, []string{`"/amount"`}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", `{"to":"{bob}","unit":"stars","amount":1,"reason":"goodwill"}`, 422, []string{"unit_unknown"}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/transfers", `{"to":"{transfer}","unit":"points","amount":1,"reason":"goodwill"}`, 422, []string{`"/to"`}, nil, "", ""},
		{"POST", "/api/v1/members/{transfer}/transfers", giveBody, 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/transfers/{ann}", "", 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/ledger/trial-balance", "", 200, []string{`"balanced":true`}, []string{`"clearing","balance":1`}, "", ""},
	}...)
	scenarios["merges and households"] = append(start[:len(start):len(start)], []step{
		{"POST", "/api/v1/members/{bob}/merge", `{"into":"{ann}","reason":"correction"}`, 201, []string{`"state":"beginning"`, `"kind":"merged"`}, nil, "link", anyID},
		{"POST", "/api/v1/account-links/{link}/end", `{"reason":"correction"}`, 409, []string{"state_conflict"}, nil, "", ""},
		settled,
		{"GET", "/api/v1/members/{bob}/account", "", 200, []string{`"free":150`, `"state":"in_force"`}, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/merge", `{"into":"{bob}","reason":"correction"}`, 409, []string{"account_same"}, nil, "", ""},
		{"POST", "/api/v1/account-links/{link}/end", `{"reason":"correction"}`, 200, []string{`"state":"ending"`, `"until":"`}, nil, "", ""},
		settled,
		{"GET", "/api/v1/account-links/{link}", "", 200, []string{`"state":"ended"`}, nil, "", ""},
		{"GET", "/api/v1/members/{bob}/account", "", 200, nil, []string{`"free":150`}, "", ""},
		{"POST", "/api/v1/households", `{"members":["{ann}","{bob}"],"reason":"goodwill"}`, 201, []string{`"kind":"household"`}, nil, "house", `"id":"([0-9a-f-]{36})","links":`},
		{"POST", "/api/v1/households", `{"members":[],"reason":"goodwill"}`, 422, []string{`"/members"`}, nil, "", ""},
		{"POST", "/api/v1/households/{ann}/members", `{"member":"{bob}","reason":"goodwill"}`, 404, []string{"not_found"}, nil, "", ""},
		{"GET", "/api/v1/households/{ann}", "", 404, []string{"not_found"}, nil, "", ""},
	}...)
	scenarios["lists"] = append(start[:len(start):len(start)], []step{
		{"POST", "/api/v1/adjustment-lists", `{"reason":"correction","rows":[{"reference":"C-2","unit":"points","amount":5},{"member":"{ann}","unit":"points","amount":-151}]}`, 201, []string{`"refused":1`, `"state":"preview"`}, nil, "list", anyID},
		{"POST", "/api/v1/adjustment-lists/{list}/commit", `{}`, 409, []string{"state_conflict"}, nil, "", ""},
		{"GET", "/api/v1/adjustment-lists/{list}/rows?limit=1", "", 200, []string{`"free_after":5`, `"next":"`}, nil, "next", `"next":"([^"]+)"`},
		{"GET", "/api/v1/adjustment-lists/{list}/rows?cursor={next}", "", 200, []string{`"problem":"points_insufficient"`, `"line":2`}, []string{`"next"`}, "", ""},
		{"GET", "/api/v1/adjustment-lists/{list}/rows?cursor=nonsense", "", 400, []string{"cursor_invalid"}, nil, "", ""},
		{"POST", "/api/v1/adjustment-lists/{list}/commit", `{"partly":true}`, 200, []string{`"state":"committing"`}, nil, "", ""},
		settled,
		{"GET", "/api/v1/adjustment-lists/{list}", "", 200, []string{`"state":"committed"`, `"done":1`, `"refused":1`}, nil, "", ""},
		{"POST", "/api/v1/adjustment-lists/{list}/undo", "", 200, []string{`"state":"undoing"`}, nil, "", ""},
		settled,
		{"GET", "/api/v1/adjustment-lists/{list}/rows", "", 200, []string{`"undone_by":-5`}, nil, "", ""},
		{"POST", "/api/v1/adjustment-lists/{list}/undo", "", 409, []string{"state_conflict"}, nil, "", ""},
		{"POST", "/api/v1/adjustment-lists", `{"reason":"correction","rows":[]}`, 422, []string{`"/rows"`}, nil, "", ""},
		{"GET", "/api/v1/adjustment-lists/{ann}", "", 404, []string{"not_found"}, nil, "", ""},
	}...)
}
