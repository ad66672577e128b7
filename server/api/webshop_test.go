package api_test

const basket = `"store":"{store}","member":"{ann}","currency":"EUR","total":2000,"lines":[{"amount":1500,"sku":"4001"},{"amount":500}],"redeem":[{"reward":"{reward}"}]`

func init() {
	scenarios["web shop"] = []step{
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100}]}`, 200, nil, nil, "", ""},
		{"POST", "/api/v1/stores", storeBody, 201, nil, nil, "store", anyID},
		{"POST", "/api/v1/rewards", rewardBody, 201, nil, nil, "reward", anyID},
		{"POST", "/api/v1/members", `{"alias":"Ann"}`, 201, nil, nil, "ann", anyID},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"points","amount":150,"reason":"opening_balance"}`, 201, nil, nil, "", ""},
		settled,
		{"POST", "/api/v1/quotes", `{` + basket + `}`, 201, []string{`"discount":500`, `"to_pay":1500`, `"amount":15,`}, nil, "quote", anyID},
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"free":150`}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"quote":"{quote}","receipt":"W-1"}`, 201, []string{`"seq":2`, `"voided":false`, `"receipt":"W-1"`, `"to_pay":1500`}, nil, "sale", anyID},
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"free":65`}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"quote":"{quote}"}`, 422, []string{"points_insufficient"}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"basket":{` + basket + `}}`, 422, []string{"points_insufficient"}, nil, "", ""},
		{"GET", "/api/v1/terminals?store={store}", "", 200, []string{`"name":"web shop"`, `"state":"enrolled"`}, nil, "terminal", anyID},
		{"GET", "/api/v1/entries/{terminal}/1/2", "", 200, []string{`"kind":"sale"`, `"proven":true`}, nil, "", ""},
		settled, // its turn comes: applied once
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"free":65`}, nil, "", ""},
		{"POST", "/api/v1/sales/{sale}/void", "", 200, []string{`"voided":true`}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"free":150`}, nil, "", ""},
		{"POST", "/api/v1/sales/{sale}/void", "", 409, []string{"sale_already_voided"}, nil, "", ""},
		{"GET", "/api/v1/sales/{sale}", "", 200, []string{`"voided":true`}, nil, "", ""},
		settled,
		{"GET", "/api/v1/status", "", 200, []string{`"unapplied":0`, `"open_exceptions":0`}, nil, "", ""},
		{"GET", "/api/v1/ledger/trial-balance", "", 200, []string{`"balanced":true`}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"basket":{"store":"{store}","currency":"EUR","total":700}}`, 201, []string{`"earned":[]`}, []string{"member"}, "", ""},
		{"POST", "/api/v1/sales", `{"basket":{"store":"{store}","member":"{ann}","currency":"USD","total":700}}`, 422, []string{"currency_mismatch"}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"basket":{"store":"{store}","member":"{sale}","currency":"EUR","total":700}}`, 404, []string{"member_unknown"}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"basket":{"store":"{store}","currency":"EUR","total":-1}}`, 422, []string{"amount_invalid"}, nil, "", ""},
		{"POST", "/api/v1/sales", `{"quote":"{sale}"}`, 404, []string{"quote_unknown"}, nil, "", ""},
		{"POST", "/api/v1/sales", `{}`, 422, []string{`"/quote"`}, nil, "", ""},
		{"GET", "/api/v1/sales/{quote}", "", 404, []string{"sale_unknown"}, nil, "", ""},
	}
}
