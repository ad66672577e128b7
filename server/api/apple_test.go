package api_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/wallet/brand"
)

const applePassType = "pass.com.example.card"

// builtIn is the look nobody has changed.
type builtIn struct{}

func (*builtIn) Version(context.Context) (uint64, error) { return 1, nil }
func (*builtIn) Current(context.Context) (brand.Brand, error) {
	return brand.Brand{Version: 1, Programme: "Corner Shop"}, nil
}

// appleJSON makes passes that are the cards as JSON.
type appleJSON struct{}

func (appleJSON) PassType() string                       { return applePassType }
func (appleJSON) Pass(c pass.Card) ([]byte, error)       { return json.Marshal(c) }
func (appleJSON) Bundle(passes [][]byte) ([]byte, error) { return json.Marshal(passes) }

// phoneCall is a request as a phone sends it: without a token of ours, with its own
// header.
func (r *rig) phoneCall(method, path, token, body string, header ...string) answer {
	r.t.Helper()
	req, err := http.NewRequest(method, r.base+path, strings.NewReader(body))
	r.must(err)
	if token != "" {
		req.Header.Set("Authorization", "ApplePass "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	r.must(err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	r.must(err)
	return answer{status: res.StatusCode, header: res.Header, body: raw}
}

// walletPass issues a pass by HQ's people and downloads it as a browser does.
func (r *rig) walletPass(member uuid.UUID) (serial, token string) {
	r.t.Helper()
	var issued struct{ Download, Serial, State string }
	r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/passes", body: `{"channel":"apple"}`}).into(r.t, &issued)
	got := r.phoneCall("GET", issued.Download, "", "")
	if got.status != 200 || got.header.Get("Content-Type") != "application/vnd.apple.pkpass" {
		r.t.Fatalf("download: %d %s", got.status, got.body)
	}
	var c pass.Card
	got.into(r.t, &c)
	if c.Serial != issued.Serial {
		r.t.Errorf("the pass is %s, issued was %s", c.Serial, issued.Serial)
	}
	return c.Serial, c.Token
}

// Each call of the PassKit web service with each status that Apple names, and what is
// not allowed.
func TestPassKitWebServiceStatuses(t *testing.T) {
	r := newRig(t)
	member := uuid.MustParse(r.made("/api/v1/members", `{"alias":"Ann"}`))
	serial, token := r.walletPass(member)
	other, otherToken := r.walletPass(uuid.MustParse(r.made("/api/v1/members", `{"alias":"Bob"}`)))
	const on = "/wallet/apple/v1/devices/D1/registrations/" + applePassType
	at, get := on+"/"+serial, "/wallet/apple/v1/passes/"+applePassType+"/"+serial
	long := strings.Repeat("d", 4096)
	const key = `{"pushToken":"abc123"}`
	for _, step := range []struct {
		name, method, path, token, body string
		want                            int
	}{
		{"list before", "GET", on, "", "", 204},
		{"register without a token", "POST", at, "", key, 401},
		{"register with another's token", "POST", at, otherToken, key, 401},
		{"register an unknown serial", "POST", on + "/00" + strings.Repeat("0", 32), token, key, 401},
		{"register what is no serial", "POST", on + "/x", token, key, 401},
		{"register another type", "POST", "/wallet/apple/v1/devices/D1/registrations/pass.other/" + serial, token, key, 401},
		{"register without a push token", "POST", at, token, `{}`, 400},
		{"register an empty push token", "POST", at, token, `{"pushToken":""}`, 422},
		{"register what is no JSON, unknown", "POST", at, "", `{`, 401},
		{"register what is no JSON", "POST", at, token, `{`, 400},
		{"register a huge push token", "POST", at, token, `{"pushToken":"` + strings.Repeat("a", 5000) + `"}`, 422},
		{"register a body over the limit", "POST", at, token, `{"pushToken":"` + strings.Repeat("a", 70_000) + `"}`, 413},
		{"register a device id of 4 kB", "POST", "/wallet/apple/v1/devices/" + long + "/registrations/" + applePassType + "/" + serial, token, key, 422},
		{"register", "POST", at, token, key, 201},
		{"register again", "POST", at, token, key, 200},
		{"register again, push token of 1,000", "POST", at, token, `{"pushToken":"` + strings.Repeat("a", 1000) + `","more":1}`, 200},
		{"list all", "GET", on, "", "", 200},
		{"list since another server's tag", "GET", on + "?passesUpdatedSince=2026-06-01T00:00:00%2B00:00", "", "", 200},
		{"list of another device", "GET", strings.Replace(on, "D1", "D2", 1), "", "", 204},
		{"list of another type", "GET", "/wallet/apple/v1/devices/D1/registrations/pass.other", "", "", 204},
		{"list of a device id of 4 kB", "GET", "/wallet/apple/v1/devices/" + long + "/registrations/" + applePassType, "", "", 422},
		{"get", "GET", get, token, "", 200},
		{"get without a token", "GET", get, "", "", 401},
		{"get another's", "GET", strings.Replace(get, serial, other, 1), token, "", 401},
		{"head", "HEAD", get, token, "", 200},
		{"head without a token", "HEAD", get, "", "", 401},
		{"log", "POST", "/wallet/apple/v1/log", "", `{"logs":["it broke\u0000"]}`, 200},
		{"log what is no log", "POST", "/wallet/apple/v1/log", "", `{"logs":[1]}`, 400},
		{"log nothing", "POST", "/wallet/apple/v1/log", "", `{"logs":[]}`, 200},
		{"unregister without a token", "DELETE", at, "", "", 401},
		{"unregister", "DELETE", at, token, "", 200},
		{"unregister again", "DELETE", at, token, "", 200},
		{"list after", "GET", on, "", "", 204},
		{"a ticket made up", "GET", "/wallet/apple/passes/AAAA", "", "", 404},
		{"another method", "PUT", get, token, "", 405},
	} {
		if got := r.phoneCall(step.method, step.path, step.token, step.body); got.status != step.want {
			t.Errorf("%s: %d, want %d: %s", step.name, got.status, step.want, got.body)
		}
	}
}

// A phone asks by tag and by time: the tag is text, the time of a changed pass later by
// a second at least, an unchanged pass is 304 to GET and HEAD.
func TestPhonesAskByTagAndByTime(t *testing.T) {
	r := newRig(t)
	member, _ := r.richMember(10)
	serial, token := r.walletPass(member)
	const on = "/wallet/apple/v1/devices/D%31/registrations/" + applePassType // the name as phones may write it
	get := "/wallet/apple/v1/passes/" + applePassType + "/" + serial
	if got := r.phoneCall("POST", on+"/"+serial, token, `{"pushToken":"abc"}`); got.status != 201 {
		t.Fatalf("register: %d", got.status)
	}
	var list struct {
		SerialNumbers []string
		LastUpdated   string
	}
	r.phoneCall("GET", strings.Replace(on, "D%31", "D1", 1), "", "").into(t, &list)
	if len(list.SerialNumbers) != 1 || list.SerialNumbers[0] != serial || list.LastUpdated == "" {
		t.Fatalf("listed %+v", list)
	}
	if got := r.phoneCall("GET", on+"?passesUpdatedSince="+list.LastUpdated, "", ""); got.status != 204 {
		t.Errorf("nothing changed, and the list answers %d %s", got.status, got.body)
	}
	first := r.phoneCall("GET", get, token, "")
	since := first.header.Get("Last-Modified")
	for _, method := range []string{"GET", "HEAD"} {
		got := r.phoneCall(method, get, token, "", "If-Modified-Since", since)
		if got.status != 304 || len(got.body) != 0 || got.header.Get("Last-Modified") != since {
			t.Errorf("%s of an unchanged pass: %d, %d bytes", method, got.status, len(got.body))
		}
	}
	if got := r.phoneCall("GET", get, token, "", "If-Modified-Since", "yesterday"); got.status != 200 {
		t.Errorf("a time that cannot be read: %d", got.status)
	}
	for range 3 { // in the same second
		r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/adjustments", body: `{"unit":"points","amount":5,"reason":"goodwill"}`})
		_, err := r.passes.Round(context.Background())
		r.must(err)
		got := r.phoneCall("GET", get, token, "", "If-Modified-Since", since)
		was, err := http.ParseTime(since)
		r.must(err)
		now, err := http.ParseTime(got.header.Get("Last-Modified"))
		r.must(err)
		if got.status != 200 || now.Sub(was) < time.Second {
			t.Fatalf("a changed pass: %d, from %s to %s", got.status, was, now)
		}
		since = got.header.Get("Last-Modified")
	}
	before := list.LastUpdated
	r.phoneCall("GET", on+"?passesUpdatedSince="+before, "", "").into(t, &list)
	if list.LastUpdated == before || len(list.SerialNumbers) != 1 {
		t.Errorf("listed %+v after %s", list, before)
	}
}

// HQ's people see how far passes have come, what phones say, and act on one.
func TestPeopleLookAfterPasses(t *testing.T) {
	r := newRig(t)
	member, _ := r.richMember(10)
	serial, token := r.walletPass(member)
	path := "/wallet/apple/v1/devices/D1/registrations/" + applePassType + "/" + serial
	r.phoneCall("POST", path, token, `{"pushToken":"abc"}`)
	r.phoneCall("POST", "/wallet/apple/v1/log", "", `{"logs":["one","two <b>\u001b[31m"]}`)
	r.must(r.passes.Flush(context.Background()))
	var log struct{ Items []struct{ Line string } }
	r.do(call{method: "GET", path: "/api/v1/passes/log?limit=1"}).into(t, &log)
	if len(log.Items) != 1 || log.Items[0].Line != "two <b> [31m" {
		t.Errorf("the log says %+v", log)
	}
	var list struct {
		Items []struct {
			ID, Serial, State, Channel string
			Devices                    int
			Current                    bool
		}
	}
	r.do(call{method: "GET", path: "/api/v1/passes?channel=apple&state=installed&member=" + member.String()}).into(t, &list)
	if len(list.Items) != 1 || list.Items[0].Serial != serial || list.Items[0].Devices != 1 || !list.Items[0].Current {
		t.Fatalf("the list says %+v", list)
	}
	var funnel struct {
		Items []struct {
			Channel                             string
			Issued, Installed, Fetched, Current int64
			OnPhones                            int64 `json:"on_phones"`
		}
	}
	r.do(call{method: "GET", path: "/api/v1/passes/funnel"}).into(t, &funnel)
	if len(funnel.Items) != 1 || funnel.Items[0].OnPhones != 1 || funnel.Items[0].Fetched != 1 || funnel.Items[0].Current != 1 {
		t.Errorf("the funnel says %+v", funnel)
	}
	of := "/api/v1/members/" + member.String() + "/passes/" + list.Items[0].ID
	r.do(call{method: "POST", path: of + "/resend"})
	r.do(call{method: "POST", path: of + "/void"}).into(t, &list.Items[0])
	if list.Items[0].State != "voided" {
		t.Errorf("the voided pass is %+v", list.Items[0])
	}
	r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/lost-phone"})
	if a := r.do(call{method: "POST", path: "/api/v1/members/" + member.String() + "/passes/" + uuid.NewString() + "/void"}); a.status != 404 {
		t.Errorf("voiding nothing: %d", a.status)
	}
	if a := r.do(call{method: "GET", path: "/api/v1/passes?channel=pigeon"}); a.status != 422 {
		t.Errorf("an unknown channel: %d", a.status)
	}
}
