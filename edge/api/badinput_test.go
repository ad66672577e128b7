package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
)

const quoteOf = `{"currency":"EUR","total":%s}`

func underKey(v string) map[string]string { return map[string]string{"Idempotency-Key": v} }

// badInput are requests that are refused before they reach the till.
var badInput = map[string]struct {
	request
	want problem.Code
}{
	"unknown field":               {request{path: "/v1/scan", body: `{"code":"x","cod":"y"}`}, problem.UnknownField},
	"unknown field in a line":     {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"lines":[{"amount":1,"price":1}]}`}, problem.UnknownField},
	"field given twice":           {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"Total":100}`}, problem.InvalidBody},
	"not JSON":                    {request{path: "/v1/scan", body: `code=x`}, problem.InvalidBody},
	"cut short":                   {request{path: "/v1/scan", body: `{"code":"x"`}, problem.InvalidBody},
	"empty":                       {request{path: "/v1/scan"}, problem.InvalidBody},
	"two values":                  {request{path: "/v1/scan", body: `{"code":"x"}{"code":"y"}`}, problem.InvalidBody},
	"nested deeply":               {request{path: "/v1/scan", body: strings.Repeat(`{"code":`, 8000)}, problem.InvalidBody},
	"wrong type":                  {request{path: "/v1/scan", body: `{"code":7}`}, problem.InvalidField},
	"empty code":                  {request{path: "/v1/scan", body: `{"code":""}`}, problem.InvalidField},
	"total over int64":            {request{path: "/v1/quotes", body: fmt.Sprintf(quoteOf, "9223372036854775808")}, problem.AmountOverflow},
	"total with a fraction":       {request{path: "/v1/quotes", body: fmt.Sprintf(quoteOf, "9.99")}, problem.AmountInvalid},
	"total with an exponent":      {request{path: "/v1/quotes", body: fmt.Sprintf(quoteOf, "1e400")}, problem.AmountInvalid},
	"total as text":               {request{path: "/v1/quotes", body: fmt.Sprintf(quoteOf, `"9"`)}, problem.InvalidField},
	"line number zero":            {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"lines":[{"amount":1,"no":0}]}`}, problem.InvalidField},
	"line number over 16 bits":    {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"lines":[{"amount":1,"no":65536}]}`}, problem.InvalidField},
	"wish for nothing":            {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"redeem":[{}]}`}, problem.InvalidField},
	"reward that is no UUID":      {request{path: "/v1/quotes", body: `{"currency":"EUR","total":1,"redeem":[{"reward":"x"}]}`}, problem.InvalidField},
	"10 MB":                       {request{path: "/v1/quotes", body: `{"code":"` + strings.Repeat("x", 10<<20) + `"}`}, problem.BodyTooLarge},
	"one byte too many":           {request{path: "/v1/scan", body: strings.Repeat(" ", 64<<10+1)}, problem.BodyTooLarge},
	"compressed":                  {request{path: "/v1/scan", body: `{"code":"x"}`, header: map[string]string{"Content-Encoding": "gzip"}}, problem.UnsupportedMedia},
	"form":                        {request{path: "/v1/scan", body: `code=x`, header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, problem.UnsupportedMedia},
	"no content type":             {request{path: "/v1/scan", body: `{"code":"x"}`, header: map[string]string{"Content-Type": ""}}, problem.UnsupportedMedia},
	"sale of nothing":             {request{path: "/v1/sales", body: `{}`}, problem.InvalidField},
	"sale of two things":          {request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `","request":{"currency":"EUR","total":1}}`}, problem.InvalidField},
	"sale without a key":          {request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `"}`, header: underKey("")}, problem.IdempotencyNeeded},
	"key too long":                {request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `"}`, header: underKey(strings.Repeat("k", 129))}, problem.InvalidField},
	"key with a space":            {request{path: "/v1/sales", body: `{"quote":"` + knownQuote.String() + `"}`, header: underKey("a b")}, problem.InvalidField},
	"void without a key":          {request{path: "/v1/sales/" + knownSale.String() + "/void", body: `{}`, header: underKey("")}, problem.IdempotencyNeeded},
	"void of no sale key":         {request{path: "/v1/voids", body: `{}`}, problem.InvalidField},
	"return without a key":        {request{path: "/v1/returns", body: `{}`, header: underKey("")}, problem.IdempotencyNeeded},
	"return of the empty id":      {request{path: "/v1/returns", body: `{"sale":"00000000-0000-0000-0000-000000000000"}`}, problem.InvalidField},
	"return of an empty receipt":  {request{path: "/v1/returns", body: `{"pos_receipt":""}`}, problem.InvalidField},
	"return of line 65536":        {request{path: "/v1/returns", body: `{"lines":[{"no":65536,"quantity":1}]}`}, problem.InvalidField},
	"return for nothing":          {request{path: "/v1/returns", body: `{"lines":[{"no":1,"quantity":1,"amount":0}]}`}, problem.AmountInvalid},
	"return of half a thousandth": {request{path: "/v1/returns", body: `{"lines":[{"no":1,"quantity":0.5}]}`}, problem.AmountInvalid},
	"refund over int64":           {request{path: "/v1/returns", body: `{"refund":{"currency":"EUR","minor":9223372036854775808}}`}, problem.AmountOverflow},
	"refund in two currencies":    {request{path: "/v1/returns", body: `{"refund":{"currency":"EUR","minor":1,"Currency":"USD"}}`}, problem.InvalidBody},
	"place of an empty terminal":  {request{path: "/v1/returns", body: `{"origin":{"terminal":"00000000-0000-0000-0000-000000000000"}}`}, problem.InvalidField},
	"place before the first":      {request{path: "/v1/returns", body: `{"origin":{"terminal":"` + knownSale.String() + `","seq":-1}}`}, problem.InvalidField},
	"epoch over 32 bits":          {request{path: "/v1/returns", body: `{"origin":{"terminal":"` + knownSale.String() + `","epoch":4294967296}}`}, problem.InvalidField},
	"wrong method on returns":     {request{method: http.MethodGet, path: "/v1/returns"}, problem.MethodNotAllowed},
	"sale id that is no UUID":     {request{method: http.MethodGet, path: "/v1/sales/7"}, problem.InvalidField},
	"receipt empty":               {request{method: http.MethodGet, path: "/v1/sales?pos_receipt="}, problem.InvalidField},
	"no sales a page":             {request{method: http.MethodGet, path: "/v1/sales?limit=0"}, problem.InvalidField},
	"too many days a page":        {request{method: http.MethodGet, path: "/v1/days?limit=201"}, problem.InvalidField},
	"sales of no date":            {request{method: http.MethodGet, path: "/v1/sales?business_date=20260230"}, problem.InvalidField},
	"cursor of another list":      {request{method: http.MethodGet, path: "/v1/sales?cursor=20260230-1"}, problem.CursorInvalid},
	"cursor with a sign":          {request{method: http.MethodGet, path: "/v1/days?cursor=20260301-%2B9"}, problem.CursorInvalid},
	"close of no date":            {request{path: "/v1/day/close", body: `{"business_date":"2026-02-30"}`}, problem.InvalidField},
	"close without a key":         {request{path: "/v1/day/close", body: `{}`, header: underKey("")}, problem.IdempotencyNeeded},
	"closed day of no date":       {request{method: http.MethodGet, path: "/v1/days/yesterday"}, problem.InvalidField},
	"receipt and key":             {request{method: http.MethodGet, path: "/v1/sales?pos_receipt=7&key=7"}, problem.InvalidField},
	"key with a blank":            {request{method: http.MethodGet, path: "/v1/sales?key=a%20b"}, problem.InvalidField},
	"receipt too long":            {request{method: http.MethodGet, path: "/v1/sales?pos_receipt=" + strings.Repeat("7", 65)}, problem.InvalidField},
	"no such address":             {request{method: http.MethodGet, path: "/v1/nothing"}, problem.NotFound},
	"wrong method":                {request{method: http.MethodDelete, path: "/v1/sales"}, problem.MethodNotAllowed},
	"sandbox codes, no sandbox":   {request{method: http.MethodGet, path: "/v1/sandbox/codes"}, problem.NotFound},
	"path that climbs":            {request{method: http.MethodGet, path: "/v1/../../etc/passwd"}, problem.NotFound},
	"quote that is the empty id":  {request{path: "/v1/sales", body: `{"quote":"00000000-0000-0000-0000-000000000000"}`}, problem.QuoteUnknown},
}

func TestBadInput(t *testing.T) {
	r := newRig(t)
	for name, tc := range badInput {
		t.Run(name, func(t *testing.T) {
			got := r.do(tc.request)
			if code := got.code(t); code != tc.want {
				t.Fatalf("%d %s, want %q", got.status, got.body, tc.want)
			}
			if want := problem.Table[tc.want].Status; got.status != want {
				t.Fatalf("status %d, want %d", got.status, want)
			}
		})
	}
	if r.till.commit.Key != "" || r.till.back.Key != "" || r.woken != 0 {
		t.Fatal("a refused call reached the till")
	}
}
