package api_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
)

func TestG4_AWriteHappensOnceForItsKey(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	body := `{"store":"` + store + `","name":"lane"}`
	first := r.do(call{method: "POST", path: "/api/v1/terminals", body: body, key: "k1"})
	if first.status != http.StatusCreated {
		t.Fatalf("%d %s", first.status, first.body)
	}
	again := r.do(call{method: "POST", path: "/api/v1/terminals", body: body, key: "k1"})
	if again.status != first.status || !bytes.Equal(again.body, first.body) || again.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("the second answer is %d %s, the first was %s", again.status, again.body, first.body)
	}
	r.close()
	r.start()
	if again = r.do(call{method: "POST", path: "/api/v1/terminals", body: body, key: "k1"}); !bytes.Equal(again.body, first.body) {
		t.Errorf("after a restart the answer is %s", again.body)
	}
	for name, other := range map[string]call{
		"another body": {method: "POST", path: "/api/v1/terminals", body: strings.Replace(body, "lane", "lame", 1), key: "k1"},
		"another path": {method: "POST", path: "/api/v1/stores", body: body, key: "k1"},
	} {
		if a := r.do(other); a.code() != problem.IdempotencyReused && name == "another body" || a.status < 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	var list struct{ Items []any }
	r.do(call{method: "GET", path: "/api/v1/terminals"}).into(t, &list)
	if len(list.Items) != 1 {
		t.Errorf("%d terminals were made", len(list.Items))
	}
}

func TestARefusedWriteLeavesItsKeyFree(t *testing.T) {
	r := newRig(t)
	if a := r.do(call{method: "POST", path: "/api/v1/stores", body: strings.Replace(storeBody, "EUR", "eur", 1), key: "k"}); a.code() != problem.InvalidField {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/stores", body: storeBody, key: "k"}); a.status != http.StatusCreated {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

func TestOneKeyFromManyAtOnceMakesOneRecord(t *testing.T) { oneKeyFromMany(newRig(t)) }

func oneKeyFromMany(r *rig) {
	t := r.t
	const callers = 8
	answers := make([]answer, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			answers[i] = r.do(call{method: "POST", path: "/api/v1/members", body: `{"alias":"Ann"}`, key: "same"})
		})
	}
	all.Wait()
	for _, a := range answers {
		if a.status != http.StatusCreated || !bytes.Equal(a.body, answers[0].body) {
			t.Errorf("%d %s, another got %s", a.status, a.body, answers[0].body)
		}
	}
	var list struct{ Items []any }
	r.do(call{method: "GET", path: "/api/v1/members"}).into(t, &list)
	if len(list.Items) != 1 {
		t.Errorf("%d members were made", len(list.Items))
	}
}

// Who steals the database learns no enrolment code: neither from the code's table
// nor from the answer kept for the idempotency key.
func TestNoEnrolmentCodeStandsInTheDatabase(t *testing.T) {
	r := newRig(t)
	store := r.made("/api/v1/stores", storeBody)
	code := r.newTerminal(store, "lane").code
	r.close()
	defer r.start()
	path := strings.TrimPrefix(r.dsn, "sqlite:")
	for _, file := range []string{path, path + "-wal"} {
		raw, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue
		}
		r.must(err)
		for _, text := range []string{code, strings.ReplaceAll(code, "-", "")} {
			if bytes.Contains(raw, []byte(text)) {
				t.Errorf("%s holds the code", file)
			}
		}
		if !bytes.Contains(raw, []byte("lane")) {
			t.Errorf("%s does not even hold the terminal's name: the test looks in the wrong place", file)
		}
	}
}

func TestBadInputIsNamed(t *testing.T) {
	r := newRig(t)
	big := `{"code":"` + strings.Repeat("x", 10<<20) + `"}`
	rows := map[string]struct {
		call
		code problem.Code
		want string
	}{
		"10 MB":              {call{body: big}, problem.BodyTooLarge, ""},
		"over 1 MiB":         {call{body: big[:1<<20+1]}, problem.BodyTooLarge, ""},
		"no key":             {call{body: storeBody, key: "-"}, problem.IdempotencyNeeded, ""},
		"key with a space":   {call{body: storeBody, key: "a b"}, problem.InvalidField, "Idempotency-Key"},
		"key too long":       {call{body: storeBody, key: strings.Repeat("k", 129)}, problem.InvalidField, "Idempotency-Key"},
		"form":               {call{body: "code=s1", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}, problem.UnsupportedMedia, ""},
		"no type":            {call{body: storeBody, header: map[string]string{"Content-Type": ""}}, problem.UnsupportedMedia, ""},
		"gzip":               {call{body: storeBody, header: map[string]string{"Content-Encoding": "gzip"}}, problem.UnsupportedMedia, ""},
		"no body":            {call{}, problem.InvalidBody, ""},
		"not JSON":           {call{body: "{"}, problem.InvalidBody, ""},
		"two values":         {call{body: storeBody + storeBody}, problem.InvalidBody, ""},
		"not UTF-8":          {call{body: strings.Replace(storeBody, "Store", "\xff", 1)}, problem.InvalidBody, ""},
		"an array":           {call{body: "[]"}, problem.InvalidField, "must be an object"},
		"unknown":            {call{body: strings.Replace(storeBody, `{`, `{"x/y":1,`, 1)}, problem.UnknownField, `/x~1y`},
		"other spelling":     {call{body: strings.Replace(storeBody, `"code"`, `"Code"`, 1)}, problem.UnknownField, `/Code`},
		"given twice":        {call{body: strings.Replace(storeBody, `{`, `{"code":"s2",`, 1)}, problem.InvalidField, `"/code":"is given twice"`},
		"missing":            {call{body: `{"code":"s1"}`}, problem.InvalidField, `"/name":"is missing"`},
		"null":               {call{body: strings.Replace(storeBody, `"s1"`, `null`, 1)}, problem.InvalidField, `"/code":"must not be null"`},
		"number for text":    {call{body: strings.Replace(storeBody, `"s1"`, `1`, 1)}, problem.InvalidField, `"/code"`},
		"control characters": {call{body: strings.Replace(storeBody, `Store One`, "a\\u0000b", 1)}, problem.InvalidField, `"/name"`},
		"overflow":           {call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(policyBody, "100,", "9223372036854775808,", 1)}, problem.InvalidField, `"/per_sale"`},
		"too large":          {call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(policyBody, "100,", "9223372036854775807,", 1)}, problem.InvalidField, `"/per_sale"`},
		"negative":           {call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(policyBody, "100,", "-100,", 1)}, problem.InvalidField, `"/per_sale"`},
		"fraction":           {call{method: "PUT", path: "/api/v1/programme/policy", body: strings.Replace(policyBody, "100,", "1.5,", 1)}, problem.InvalidField, `"/per_sale"`},
		"1001 members":       {call{path: "/api/v1/members/batch", body: `{"members":[` + strings.Repeat("{},", 1000) + `{}]}`}, problem.InvalidField, `"/members"`},
		"body where none is": {call{path: "/api/v1/members/00000000-0000-0000-0000-000000000001/block", body: `{"x":1}`}, problem.UnknownField, ""},
	}
	for name, row := range rows {
		if row.method == "" {
			row.method = "POST"
		}
		if row.path == "" {
			row.path = "/api/v1/stores"
		}
		a := r.do(row.call)
		if a.code() != row.code || !strings.Contains(string(a.body), row.want) {
			t.Errorf("%s: %d %.300s, want %s with %s", name, a.status, a.body, row.code, row.want)
		}
	}
	var list struct{ Items []any }
	if r.do(call{method: "GET", path: "/api/v1/stores"}).into(t, &list); len(list.Items) != 0 {
		t.Errorf("%d stores were made", len(list.Items))
	}
}

func TestListsArePagedToTheirEnd(t *testing.T) {
	r := newRig(t)
	for _, code := range []string{"a", "b", "c", "d", "e"} {
		r.made("/api/v1/stores", strings.Replace(storeBody, "s1", code, 1))
	}
	seen, cursor := "", ""
	for pages := 1; ; pages++ {
		var page struct {
			Items []struct{ Code string }
			Next  string
		}
		r.do(call{method: "GET", path: "/api/v1/stores?limit=2&cursor=" + cursor}).into(t, &page)
		for _, s := range page.Items {
			seen += s.Code
		}
		if cursor = page.Next; cursor == "" {
			if pages != 3 {
				t.Errorf("%d pages, want 3", pages)
			}
			break
		}
	}
	if seen != "abcde" {
		t.Errorf("saw %q", seen)
	}
}

// Many who enrol at once, on one database: none waits for another in a circle until
// its time is up.
func TestBatchesOfMembersAtOnceAreInTime(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { batchesAtOnce(newRig(t)) })
	t.Run("postgres", func(t *testing.T) { batchesAtOnce(newRigOn(t, blank.PostgreSQL(t))) })
}

func batchesAtOnce(r *rig) {
	t := r.t
	const batches, size = 6, 500
	var all sync.WaitGroup
	start := time.Now()
	for i := range batches {
		all.Go(func() {
			var body struct {
				Members []map[string]string `json:"members"`
			}
			for n := range size {
				body.Members = append(body.Members, map[string]string{"alias": "m", "reference": fmt.Sprintf("%d/%d", i, n)})
			}
			if a := r.do(call{method: "POST", path: "/api/v1/members/batch", body: jsonOf(body)}); a.status != http.StatusCreated {
				t.Errorf("batch %d: %d %s", i, a.status, a.body)
			}
		})
	}
	all.Wait()
	t.Logf("%d members in %s", batches*size, time.Since(start))
	twice := `{"members":[{"reference":"new"},{"reference":"3/7"}]}`
	if a := r.do(call{method: "POST", path: "/api/v1/members/batch", body: twice}); a.code() != problem.NameTaken || !strings.Contains(string(a.body), "3/7") {
		t.Errorf("a reference that is taken: %d %s", a.status, a.body)
	}
}
