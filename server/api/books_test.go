package api_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/server/posbooks"
)

const bookRules = `{"format":"csv","expects":"all","minutes":5,"columns":[{"field":"receipt","column":"no"},{"field":"time","column":"time"},{"field":"amount","column":"amount"}]}`

// part sends bytes as a part of a file.
func (r *rig) part(path string, body string) answer {
	r.t.Helper()
	return r.do(call{method: "PUT", path: path, body: body, key: "-", header: map[string]string{"Content-Type": "application/octet-stream"}})
}

// A file of a till software goes from its upload to what people decide about it.
func TestBooksComeInByTheAPI(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	r.made("/api/v1/stores", strings.Replace(storeBody, `"code":"`, `"code":"b`, 1))
	mapping := r.made("/api/v1/pos-mappings", `{"name":"the till","rules":`+bookRules+`}`)
	if a := r.do(call{method: "PUT", path: "/api/v1/pos-mappings/" + mapping, body: `{"name":"the tills","version":1,"rules":` + bookRules + `}`}); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	var mappings struct {
		Items []struct {
			Name    string
			Version int
		}
	}
	r.do(call{method: "GET", path: "/api/v1/pos-mappings?store=" + store}).into(t, &mappings)
	if len(mappings.Items) != 1 || mappings.Items[0].Name != "the tills" || mappings.Items[0].Version != 2 {
		t.Errorf("%+v", mappings)
	}
	at := r.bringBooks(store)
	var days struct {
		Items []struct {
			MissingHere int `json:"missing_here"`
			Open        int
		}
		Troubles []struct{ Work, Reason string }
	}
	look := func() {
		r.do(call{method: "GET", path: "/api/v1/stores/" + store + "/pos-days?from=2026-05-01&to=2026-05-31"}).into(t, &days)
	}
	if look(); len(days.Items) != 1 || days.Items[0].MissingHere != 1 || days.Items[0].Open != 1 {
		t.Errorf("%+v", days)
	}
	id, now := uuid.MustParse(store), r.clock.Now()
	r.must(r.db.PutPosTrouble(t.Context(), posbooks.Trouble{Store: id, Work: posbooks.WorkMatch, Reason: "too many", Tries: 3, Since: now, Last: now, Next: now}))
	list := r.do(call{method: "GET", path: "/api/v1/lists/pos_troubles"})
	if look(); len(days.Troubles) != 1 || days.Troubles[0].Reason != "too many" || !strings.Contains(string(list.body), "too many") {
		t.Errorf("%+v %s", days, list.body)
	}
	r.calendars(store, "differences", 1)
	var decided struct{ Results int }
	count := func(query string) int {
		r.do(call{method: "GET", path: "/api/v1/stores/" + store + "/pos-results/count" + query}).into(t, &decided)
		return decided.Results
	}
	if open, settled, other := count("?settled=true&from=2026-05-31&to=2026-05-31&outcome=missing_here"), count("?settled=false"), count("?settled=true&most_amount=1249"); open != 1 || settled != 0 || other != 0 {
		t.Errorf("%d, %d, %d", open, settled, other)
	}
	r.do(call{method: "POST", path: "/api/v1/stores/" + store + "/pos-results/decide", body: `{"settled":true,"reason":"no card","outcome":"missing_here","from":"2026-05-31","to":"2026-05-31"}`}).into(t, &decided)
	if look(); decided.Results != 1 || days.Items[0].Open != 0 {
		t.Errorf("%+v %+v", decided, days)
	}
	r.calendars(store, "settled", 0)
	bad := r.do(call{method: "GET", path: "/api/v1/lists/pos_bad_rows/file?format=csv&store=" + store + "&import=" + at[strings.LastIndex(at, "/")+1:]})
	if !strings.Contains(string(bad.body), "is no amount") && !strings.Contains(string(bad.body), "is no time") {
		t.Errorf("%s", bad.body)
	}
	if a := r.do(call{method: "DELETE", path: "/api/v1/pos-mappings/" + mapping}); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// bringBooks brings in a file with one good row and a bad one, and returns where its import
// stands.
func (r *rig) bringBooks(store string) (at string) {
	t := r.t
	t.Helper()
	file := "no,time,amount\n1,2026-05-31 10:00,12.50\nx,never,1\n"
	at = "/api/v1/stores/" + store + "/pos-imports"
	at += "/" + r.made(at, fmt.Sprintf(`{"name":"may.csv","size":%d,"rules":%s}`, len(file), bookRules))
	if a := r.part(at+"/parts/0", file); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	var preview struct {
		Rows []struct{ Amount int }
		Bad  []struct{ Reason string }
	}
	r.do(call{method: "POST", path: at + "/preview", body: bookRules, key: "-"}).into(t, &preview)
	if len(preview.Rows) != 1 || preview.Rows[0].Amount != 1250 || len(preview.Bad) != 1 {
		t.Errorf("%+v", preview)
	}
	if a := r.do(call{method: "POST", path: at + "/run", body: bookRules}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	r.must(r.books.Round(t.Context()))
	var done struct {
		State     string
		Rows, Bad int
	}
	if r.do(call{method: "GET", path: at}).into(t, &done); done.State != "finished" || done.Rows != 1 || done.Bad != 1 {
		t.Errorf("%+v", done)
	}
	return at
}

// calendars wants the one day that has books to stand somewhere on the calendar of all days,
// and the calendar of differences to have so many stores. A second store has no books.
func (r *rig) calendars(store, standing string, differing int) {
	r.t.Helper()
	var all, some struct {
		Items []struct {
			Store string
			Books []struct {
				BusinessDate string `json:"business_date"`
				State        string
			}
		}
	}
	r.do(call{method: "GET", path: "/api/v1/store-days?from=2026-05-01&to=2026-05-31"}).into(r.t, &all)
	if len(all.Items) != 2 || len(all.Items[0].Books) != 1 || all.Items[0].Books[0].State != standing || len(all.Items[1].Books) != 0 {
		r.t.Errorf("%+v", all)
	}
	r.do(call{method: "GET", path: "/api/v1/store-days?books=differences&from=2026-05-01&to=2026-05-31"}).into(r.t, &some)
	if len(some.Items) != differing || differing > 0 && (some.Items[0].Store != store || some.Items[0].Books[0].BusinessDate != "2026-05-31") {
		r.t.Errorf("%+v", some)
	}
	r.do(call{method: "GET", path: "/api/v1/store-days?books=differences&from=2026-04-01&to=2026-04-30"}).into(r.t, &some)
	if len(some.Items) != 0 {
		r.t.Errorf("%+v", some)
	}
}

func TestBooksThatAreRefused(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	imports := "/api/v1/stores/" + store + "/pos-imports"
	one := imports + "/" + r.made(imports, `{"name":"a","size":3,"rules":`+bookRules+`}`)
	for _, tc := range []struct {
		method, path, body string
		want               problem.Code
	}{
		{"POST", imports, `{"name":"a","size":2147483648,"rules":` + bookRules + `}`, problem.BodyTooLarge},
		{"POST", imports, `{"name":"a","size":3,"rules":{"format":"csv","expects":"all"}}`, problem.InvalidField},
		{"POST", imports, `{"name":"a","size":3,"rules":{"format":"json","expects":"all","lanes":[{"word":"a","means":"b"},{"word":"a","means":"c"}]}}`, problem.InvalidField},
		{"POST", one + "/run", bookRules, problem.StateConflict},
		{"POST", one + "/preview", bookRules, problem.StateConflict},
		{"POST", "/api/v1/stores/" + store + "/pos-results/decide", `{"settled":true,"reason":" "}`, problem.InvalidField},
		{"POST", "/api/v1/stores/" + store + "/pos-results/decide", `{"settled":true,"reason":"these","ids":[]}`, problem.InvalidField},
		{"POST", "/api/v1/stores/" + store + "/pos-days/match", `{"from":"2026-05-02","to":"2026-05-01"}`, problem.InvalidField},
		{"PUT", "/api/v1/pos-mappings/" + store, `{"name":"a","version":1,"rules":` + bookRules + `}`, problem.Conflict},
		{"DELETE", "/api/v1/pos-mappings/" + store, "", problem.NotFound},
	} {
		if a := r.do(call{method: tc.method, path: tc.path, body: tc.body}); a.code() != tc.want {
			t.Errorf("%s %s %s: %d %s", tc.method, tc.path, tc.body, a.status, a.body)
		}
	}
	if a := r.part(one+"/parts/0", strings.Repeat("x", posbooks.PartSize+1)); a.code() != problem.BodyTooLarge {
		t.Errorf("a large part: %d %s", a.status, a.body)
	}
	r.as(people.Marketing, func() {
		if a := r.part(one+"/parts/0", "abc"); a.code() != problem.Forbidden {
			t.Errorf("by marketing: %d %s", a.status, a.body)
		}
	})
}

// Whoever sends 2 GiB is cut off at the limit of a part, long before.
func TestAnUploadOf2GiBIsCutOff(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	imports := "/api/v1/stores/" + store + "/pos-imports"
	path := r.base + imports + "/" + r.made(imports, `{"name":"a","size":200000000,"rules":`+bookRules+`}`) + "/parts/0"
	sent := &zeros{left: 2 << 30}
	req, err := http.NewRequest(http.MethodPut, path, sent)
	r.must(err)
	req.Header.Set("Authorization", "Bearer "+r.token)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		r.must(resp.Body.Close())
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d", resp.StatusCode)
		}
	}
	if taken := 2<<30 - sent.left; taken > 128<<20 {
		t.Errorf("%d bytes were taken", taken)
	}
}

// zeros is so many bytes.
type zeros struct{ left int }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left <= 0 {
		return 0, io.EOF
	}
	n := min(len(p), z.left)
	clear(p[:n])
	z.left -= n
	return n, nil
}
