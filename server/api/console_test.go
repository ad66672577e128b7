package api_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/xuri/excelize/v2"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/blank"
	"github.com/tallystick/tallystick/server/api"
	"github.com/tallystick/tallystick/server/console"
	"github.com/tallystick/tallystick/server/people"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// page signs in as the console does and returns the headers of its calls.
func (r *rig) page(name, password string) map[string]string {
	r.t.Helper()
	r.token = ""
	own := map[string]string{"Origin": r.base, "X-Tallystick-Console": "1"}
	a := r.do(call{method: "POST", path: "/api/v1/console/session", key: "-", header: own, body: `{"name":"` + name + `","password":"` + password + `"}`})
	cookie := a.header.Get("Set-Cookie")
	if a.status != http.StatusCreated || !strings.Contains(cookie, "HttpOnly; SameSite=Strict") || strings.Contains(string(a.body), "token") {
		r.t.Fatalf("sign in: %d %s %s", a.status, cookie, a.body)
	}
	own["Cookie"], _, _ = strings.Cut(cookie, ";")
	return own
}

func with(header map[string]string, name, value string) map[string]string {
	out := map[string]string{name: value}
	for k, v := range header {
		if k != name {
			out[k] = v
		}
	}
	return out
}

func TestTheConsolesCookieIsForItsOwnPageOnly(t *testing.T) {
	r := newRig(t)
	own := r.page(adminName, adminPassword)
	for name, c := range map[string]struct {
		call
		status int
		code   problem.Code
	}{
		"read":                      {call{method: "GET", path: "/api/v1/console/session", header: own}, 200, ""},
		"read from another site":    {call{method: "GET", path: "/api/v1/console/home", header: with(own, "Sec-Fetch-Site", "cross-site")}, 403, problem.ForeignOrigin},
		"write":                     {call{method: "POST", path: "/api/v1/members", body: `{"alias":"Ann"}`, header: own}, 201, ""},
		"write without the header":  {call{method: "POST", path: "/api/v1/members", body: `{}`, header: with(own, "X-Tallystick-Console", "")}, 403, problem.ForeignOrigin},
		"write from another origin": {call{method: "POST", path: "/api/v1/members", body: `{}`, header: with(own, "Origin", "https://evil.example")}, 403, problem.ForeignOrigin},
		"write of no origin":        {call{method: "POST", path: "/api/v1/members", body: `{}`, header: with(own, "Origin", "null")}, 403, problem.ForeignOrigin},
		"sign in elsewhere":         {call{method: "POST", path: "/api/v1/console/session", key: "-", body: `{"name":"a","password":"b"}`, header: with(own, "Origin", "https://evil.example")}, 403, problem.ForeignOrigin},
		"a token that is none":      {call{method: "GET", path: "/api/v1/me", header: with(own, "Cookie", "tallystick_console=x")}, 401, problem.Unauthenticated},
	} {
		t.Run(name, func(t *testing.T) {
			if a := r.do(c.call); a.status != c.status || a.code() != c.code {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
	r.clock.Advance(13 * time.Hour)
	if a := r.do(call{method: "GET", path: "/api/v1/console/home", header: own}); a.status != 401 || a.code() != problem.Unauthenticated {
		t.Errorf("after its time: %d %s", a.status, a.body)
	}
	own = r.page(adminName, adminPassword)
	a := r.do(call{method: "DELETE", path: "/api/v1/sessions/current", key: "-", header: own})
	if a.status != 204 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out: %d %v", a.status, a.header)
	}
}

func TestEveryWriteOfAPersonIsInTheAuditLog(t *testing.T) {
	r := newRig(t)
	member := r.made("/api/v1/members", `{"alias":"Ann Secret"}`)
	r.do(call{method: "POST", path: "/api/v1/members/" + member + "/adjustments", body: `{"unit":"points","amount":70,"reason":"goodwill"}`})
	r.do(call{method: "POST", path: "/api/v1/members/" + member + "/adjustments", body: `{"unit":"points","amount":0,"reason":"goodwill"}`}) // refused
	key := uuid.NewString()
	for range 2 {
		r.do(call{method: "POST", path: "/api/v1/members/" + member + "/block", key: key})
	}
	a := r.do(call{method: "GET", path: "/api/v1/lists/acts?order=%2Bat"})
	var page struct{ Rows [][]any }
	a.into(t, &page)
	var got []string
	for _, row := range page.Rows {
		got = append(got, row[1].(string)+" "+row[3].(string))
	}
	want := []string{"admin CreateSession", "admin CreateMember", "admin CreateAdjustment", "admin BlockMember"}
	if strings.Join(got, ",") != strings.Join(want, ",") || strings.Contains(string(a.body), "Secret") || !strings.Contains(string(a.body), "amount=70") {
		t.Errorf("%v in %s", got, a.body)
	}
}

// What a list can be narrowed by can be asked of it: both operations have the parameter.
func TestEveryFilterOfAListIsAParameter(t *testing.T) {
	for _, params := range []any{api.GetListParams{}, api.GetListFileParams{}} {
		of := reflect.TypeOf(params)
		known := map[string]bool{}
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("form"), ",")
			known[name] = true
		}
		for _, l := range console.Lists {
			for _, f := range l.Filters {
				if !known[f.Name] {
					t.Errorf("%s has no %s of %s", of.Name(), f.Name, l.Name)
				}
			}
		}
	}
}

func TestAListIsAFileToo(t *testing.T) {
	r := newRig(t)
	for _, alias := range []string{"=1+1", "Ayşe, \"Ö\"", "@x", "Bob"} {
		body, _ := json.Marshal(map[string]string{"alias": alias})
		r.made("/api/v1/members", string(body))
	}
	a := r.do(call{method: "GET", path: "/api/v1/lists/members/file?format=csv&mark=true&order=alias"})
	if !bytes.HasPrefix(a.body, []byte("\ufeffid,alias")) || !strings.Contains(a.header.Get("Content-Disposition"), "tallystick-members-") {
		t.Fatalf("%s %q", a.header, a.body)
	}
	lines, err := csv.NewReader(bytes.NewReader(a.body)).ReadAll()
	r.must(err)
	if len(lines) != 5 || lines[1][1] != "'=1+1" || lines[2][1] != "'@x" || lines[3][1] != `Ayşe, "Ö"` {
		t.Errorf("%q", lines)
	}
	a = r.do(call{method: "GET", path: "/api/v1/lists/members/file?format=xlsx&order=alias&q=%3D"})
	book, err := excelize.OpenReader(bytes.NewReader(a.body))
	r.must(err)
	defer book.Close()
	rows, err := book.GetRows("members")
	r.must(err)
	formula, err := book.GetCellFormula("members", "B2")
	r.must(err)
	if len(rows) != 2 || rows[1][1] != "=1+1" || formula != "" {
		t.Errorf("%q, formula %q", rows, formula)
	}
	for path, field := range map[string]string{
		"/api/v1/lists/members?order=salt": "order", "/api/v1/lists/members?cause=x": "cause", "/api/v1/lists/postings": "account",
		"/api/v1/lists/entries?from=yesterday": "from", "/api/v1/lists/members?limit=999": "limit",
	} {
		if a := r.do(call{method: "GET", path: path}); a.status != 422 || !strings.Contains(string(a.body), `"`+field+`"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := r.do(call{method: "GET", path: "/api/v1/lists/nothings"}); a.status != 404 {
		t.Errorf("a list that is none: %d", a.status)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/lists/members?cursor=AAAA"}); a.code() != problem.CursorInvalid {
		t.Errorf("a cursor that is none: %d %s", a.status, a.body)
	}
}

// What HQ hands over is enough to check an entry without trusting HQ.
func TestG6_TheProofOfAnEntryVerifies(t *testing.T) {
	r := newRig(t)
	l := r.enrolledLane("one", 12)
	for range 3 {
		l.add(entry.KindNote, entry.Note{Code: entry.NoteStarted})
	}
	if a := l.proven("POST", wire.PathPush, l.batch()); a.status != http.StatusOK {
		t.Fatalf("push: %d %s", a.status, a.body)
	}
	var p proofOf
	r.do(call{method: "GET", path: "/api/v1/entries/" + l.id.String() + "/1/2/proof"}).into(t, &p)
	p.check(t, l.id, 2)
	if len(p.Steps) != 3 {
		t.Errorf("%+v", p)
	}
}

// proofOf is what the API says of an entry of epoch 1.
type proofOf struct {
	Previous, Head string
	PublicKey      string `json:"public_key"`
	Signature      string
	First, Last    uint64
	Holds          bool
	Steps          []struct{ Bytes, Hash string }
}

// check verifies the proof from its bytes alone.
func (p proofOf) check(t *testing.T, writer uuid.UUID, seq uint64) {
	t.Helper()
	w := journal.Writer{ID: writer, Epoch: 1}
	var at journal.Hash
	if _, err := hex.Decode(at[:], []byte(p.Previous)); err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Steps {
		raw, err := base64.StdEncoding.DecodeString(s.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		at = journal.HashEntry(w, seq+uint64(i), at, raw)
	}
	signature, _ := hex.DecodeString(p.Signature)
	key, _ := hex.DecodeString(p.PublicKey)
	cp := journal.Checkpoint{Writer: w, First: p.First, Last: p.Last, Head: at, Signature: signature}
	if err := cp.Verify(ed25519.PublicKey(key)); err != nil || !p.Holds || at.String() != p.Head {
		t.Errorf("%v, %+v", err, p)
	}
}

// HQ's own journal is listed, read and proved like a terminal's.
func TestG6_HQsOwnEntriesAreProvedToo(t *testing.T) {
	story := func(t *testing.T, r *rig) {
		r.made("/api/v1/members", `{"alias":"Ann"}`)
		r.made("/api/v1/members", `{"alias":"Bob"}`)
		var page struct{ Rows [][]any }
		r.do(call{method: "GET", path: "/api/v1/lists/hq_entries?kind=hq_member"}).into(t, &page)
		if len(page.Rows) != 2 {
			t.Fatalf("%v", page.Rows)
		}
		for _, row := range page.Rows {
			at := fmt.Sprintf("/api/v1/entries/%s/%.0f/%.0f", row[1], row[3], row[4])
			if a := r.do(call{method: "GET", path: at}); a.status != http.StatusOK || !strings.Contains(string(a.body), `"kind":"hq_member"`) || !strings.Contains(string(a.body), row[7].(string)) {
				t.Errorf("%s: %d %s", at, a.status, a.body)
			}
			if a := r.do(call{method: "GET", path: at + "/proof"}); a.code() != problem.NotFound {
				t.Errorf("an entry that is not signed is proved: %d %s", a.status, a.body)
			}
		}
		if _, err := r.journal.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Rows {
			var p proofOf
			r.do(call{method: "GET", path: fmt.Sprintf("/api/v1/entries/%s/%.0f/%.0f/proof", row[1], row[3], row[4])}).into(t, &p)
			p.check(t, uuid.MustParse(row[1].(string)), uint64(row[4].(float64)))
			if key := hex.EncodeToString(r.sign[0].Public.Key); p.PublicKey != key {
				t.Errorf("signed with %s, not with HQ's %s", p.PublicKey, key)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { story(t, newRig(t)) })
	t.Run("postgres", func(t *testing.T) { story(t, newRigOn(t, blank.PostgreSQL(t))) })
}

func TestAPolicyIsPreviewedWithoutBeingPutInForce(t *testing.T) {
	r := newRig(t)
	r.do(call{method: "PUT", path: "/api/v1/programme/policy", body: policyBody})
	r.enrolledLane("one", 12)
	change := strings.Replace(policyBody, `"per_terminal_since_sync":1000`, `"per_terminal_since_sync":50`, 1)
	if change == policyBody {
		t.Fatalf("the policy is another: %s", policyBody)
	}
	a := r.do(call{method: "POST", path: "/api/v1/programme/policy/preview", key: "-", body: change})
	var p map[string][]struct {
		Unit  string
		Worst int64
	}
	a.into(t, &p)
	worst := func(when string) int64 {
		for _, l := range p[when] {
			if l.Unit == "points" {
				return l.Worst
			}
		}
		return -1
	}
	if worst("now") != 1000 || worst("at_most") != 1000 || worst("settled") != 50 {
		t.Errorf("%d %s", a.status, a.body)
	}
	shut := r.enrolledLane("two", 13)
	r.must(r.rights.Round(t.Context()))
	r.do(call{method: "POST", path: "/api/v1/terminals/" + shut.id.String() + "/quarantine"})
	r.do(call{method: "POST", path: "/api/v1/programme/policy/preview", key: "-", body: change}).into(t, &p)
	if worst("now") != 2000 || worst("at_most") != 2000 || worst("settled") != 1050 {
		t.Errorf("with one that is shut out: %v", p)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/programme/policy"}); !strings.Contains(string(a.body), `"version":1`) {
		t.Errorf("it is in force: %s", a.body)
	}
	if a := r.do(call{method: "POST", path: "/api/v1/programme/policy/preview", key: "-", body: strings.Replace(policyBody, "100,", "-1,", 1)}); a.status != 422 {
		t.Errorf("one that cannot be: %d %s", a.status, a.body)
	}
}

// A page hears what changed, and its stream ends with the server.
func TestAPageHearsWhatChanged(t *testing.T) {
	r := newRig(t)
	own := r.page(adminName, adminPassword)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.base+"/api/v1/events/console", nil)
	r.must(err)
	req.Header.Set("Cookie", own["Cookie"])
	resp, err := http.DefaultClient.Do(req)
	r.must(err)
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Scan()
	if resp.Header.Get("Content-Type") != "text/event-stream" || lines.Text() != ": watching" {
		t.Fatalf("%v %q", resp.Header, lines.Text())
	}
	r.clock.Advance(time.Second)
	r.do(call{method: "POST", path: "/api/v1/stores", body: storeBody, header: own}) // before anybody looked again
	r.must(r.watch.Look(t.Context()))
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data:") {
	}
	if want := `data: {"topics":["` + console.TopicActs + `","` + console.TopicTerminals + `"]}`; lines.Text() != want {
		t.Errorf("%q, want %q", lines.Text(), want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r.must(r.server.Shutdown(ctx))
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("the stream broke: %v", err)
	}
}

func TestWhoMayWorkOnExceptions(t *testing.T) {
	r := newRig(t)
	for _, role := range []people.Role{people.Marketing, people.Support} {
		_, err := r.people.Add(t.Context(), string(role), role, adminPassword)
		r.must(err)
	}
	id := uuid.NewString()
	for name, want := range map[string]int{string(people.Marketing): 403, string(people.Support): 404} {
		own := r.page(name, adminPassword)
		if a := r.do(call{method: "POST", path: "/api/v1/exceptions/" + id + "/comments", body: `{"text":"x"}`, header: own}); a.status != want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}
