package api_test

// nobody is the id of nothing.
const nobody = "00000000-0000-7000-8000-000000000001"

func init() {
	scenarios["units and decisions"] = []step{
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100,"rounding":"half_even","roll_days":30}],"units":[{"name":"points"},{"name":"cups","kind":"stamps"},{"name":"cash","kind":"credit","decimals":2}]}`, 200, []string{`"rounding":"half_even"`, `"roll_days":30`, `"kind":"stamps"`, `"decimals":2`}, nil, "", ""},
		{"GET", "/api/v1/programme/rule-set", "", 200, []string{`"name":"cash"`, `"version":1`}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"stars","points":1,"per":100,"expire_on":"2030-01-01T00:00:00Z"}]}`, 200, []string{`"name":"stars"`, `"name":"cash"`, `"expire_on":"2030-01-01T00:00:00Z"`}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[],"units":[{"name":"points"}]}`, 409, []string{"unit_mismatch", `"/units"`}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[],"units":[{"name":"points","kind":"stamps"},{"name":"cups","kind":"stamps"},{"name":"cash","kind":"credit","decimals":2},{"name":"stars"}]}`, 409, []string{"unit_mismatch"}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[{"unit":"points","points":1,"per":100,"rounding":"sideways"}]}`, 422, []string{`"/earn/0/rounding"`}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[],"units":[{"name":"half","kind":"stamps","decimals":1}]}`, 422, []string{`"/units/0/decimals"`}, nil, "", ""},
		{"PUT", "/api/v1/programme/rule-set", `{"currency":"EUR","earn":[],"units":[{"name":"odd","kind":"shells"}]}`, 422, []string{`"/units/0/kind"`}, nil, "", ""},
		{"POST", "/api/v1/members", `{"alias":"Ann"}`, 201, nil, nil, "ann", anyID},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"cash","amount":1250,"reason":"goodwill"}`, 201, nil, nil, "", ""},
		{"POST", "/api/v1/members/{ann}/adjustments", `{"unit":"moons","amount":1,"reason":"goodwill"}`, 422, []string{"unit_unknown", `"/unit"`}, nil, "", ""},
		{"POST", "/api/v1/rewards", `{"name":"x","unit":"moons","cost":1,"discount":1,"currency":"EUR","active":true}`, 422, []string{"unit_unknown"}, nil, "", ""},
		{"POST", "/api/v1/exceptions/decisions", `{"verdict":"release","exceptions":["` + nobody + `"]}`, 404, []string{"not_found"}, nil, "", ""},
		{"POST", "/api/v1/exceptions/decisions", `{"verdict":"cover","exceptions":["` + nobody + `"]}`, 422, []string{`"/verdict"`}, nil, "", ""},
		{"POST", "/api/v1/exceptions/decisions", `{"verdict":"reject","exceptions":[]}`, 422, []string{`"/exceptions"`}, nil, "", ""},
		{"GET", "/api/v1/exceptions?state=released", "", 200, []string{`"items":[]`}, nil, "", ""},
		{"GET", "/api/v1/exceptions?state=happy", "", 422, []string{"state"}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/history?cursor=nonsense", "", 400, []string{"cursor_invalid"}, nil, "", ""},
		{"GET", "/api/v1/members/{ann}/account", "", 200, []string{`"unit":"cash"`, `"free":1250`, `"allowance":0`, `"pending":0`, `"overdraft":0`}, nil, "", ""},
	}
}
