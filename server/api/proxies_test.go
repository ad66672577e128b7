package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/api"
	"github.com/tallystick/tallystick/sync/wire"
)

// behind is an HQ that trusts these proxies; the tests come from 127.0.0.1.
func behind(t *testing.T, proxies ...string) *rig {
	t.Helper()
	r := newRig(t)
	r.close()
	var err error
	r.proxies, err = api.ReadProxies(proxies)
	r.must(err)
	r.start()
	return r
}

// limited has each of the limits by address tried until it says no, or a few times more
// than it allows.
func limited(t *testing.T, r *rig, whom func(try int) map[string]string) map[string]int {
	t.Helper()
	lane := r.newTerminal(r.made("/api/v1/stores", storeBody), "lane")
	lane.code = "0000-0000-0000-0000"
	lane.newKey(12)
	wrong := lane.enrolRequest()
	type limit struct {
		most int
		do   func(header map[string]string) answer
	}
	limits := map[string]limit{
		"joins": {63, func(header map[string]string) answer {
			return (&browser{rig: r}).ask(call{method: "POST", path: "/api/v1/card/links", body: `{"email":"x@example.org"}`, header: header})
		}},
		"sign-ins": {23, func(header map[string]string) answer {
			body := jsonOf(map[string]string{"name": "nobody" + header["Try"], "password": "wrong"})
			return r.do(call{method: "POST", path: "/api/v1/sessions", key: "-", body: body, header: header})
		}},
		"enrolment codes": {13, func(header map[string]string) answer {
			return lane.raw("POST", wire.PathEnrol, wrong, header)
		}},
	}
	out := map[string]int{}
	for name, l := range limits {
		for try := range l.most {
			header := map[string]string{"Try": fmt.Sprint(try)}
			for k, v := range whom(try) {
				header[k] = v
			}
			if a := l.do(header); a.status == http.StatusTooManyRequests || a.code() == problem.TooManyRequests {
				out[name] = try
				break
			}
		}
	}
	return out
}

func TestShoppersBehindAProxyAreCountedOneByOne(t *testing.T) {
	each := func(try int) map[string]string {
		return map[string]string{"X-Forwarded-For": fmt.Sprintf("203.0.113.%d", try+1)}
	}
	if got := limited(t, behind(t, "127.0.0.0/8"), each); len(got) != 0 {
		t.Errorf("people behind a proxy are slowed down: %v", got)
	}
	one := func(try int) map[string]string {
		return map[string]string{"X-Forwarded-For": fmt.Sprintf("198.51.100.%d, 203.0.113.5", try+1)}
	}
	if got := limited(t, behind(t, "127.0.0.0/8"), one); len(got) != 3 {
		t.Errorf("one who forges what stands left is slowed down only at %v", got)
	}
}

func TestAForgedAddressHelpsNobody(t *testing.T) {
	forged := func(try int) map[string]string {
		return map[string]string{"X-Forwarded-For": fmt.Sprintf("203.0.113.%d", try+1)}
	}
	if got := limited(t, behind(t, "192.0.2.0/24"), forged); len(got) != 3 {
		t.Errorf("one who forges addresses and is no proxy is slowed down only at %v", got)
	}
}
