package apnsdouble

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

var path = regexp.MustCompile(`^/3/device/([0-9a-fA-F]+)$`)

// known are the headers a push may have, in net/http's spelling.
var known = []string{
	"Apns-Topic", "Apns-Push-Type", "Apns-Priority", "Apns-Id", "Apns-Expiration", "Apns-Collapse-Id",
	"Authorization", "Content-Type", "Content-Length", "User-Agent", "Accept-Encoding",
}

// ServeHTTP answers one push.
func (d *Double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.stats.Pushes++
	d.mu.Unlock()
	body, err := io.ReadAll(io.LimitReader(r.Body, 4097))
	if err != nil {
		return // the client left
	}
	if wrong := d.check(r, body); wrong != nil {
		d.mu.Lock()
		d.complaints = append(d.complaints, wrong.why)
		d.mu.Unlock()
		d.give(w, r, Refuse(wrong.status, wrong.reason, ""), time.Time{})
		return
	}
	token := path.FindStringSubmatch(r.URL.Path)[1]
	a, since, arrived := d.decideOn(token)
	if arrived != nil {
		arrived()
	}
	d.give(w, r, a, since)
}

// decideOn chooses the answer of a push in order, and who is to hear of it.
func (d *Double) decideOn(token string) (a Answer, since time.Time, arrived func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a = Deliver()
	n := d.good
	d.good++
	switch {
	case len(d.script) > 0:
		a, d.script = d.script[0], d.script[1:]
	case d.decide != nil:
		a = d.decide(n, token)
	}
	if a.kind != deliver {
		return a, time.Time{}, nil
	}
	p, ok := d.phones[token]
	switch {
	case !ok:
		return Refuse(http.StatusBadRequest, "BadDeviceToken", ""), time.Time{}, nil
	case !p.gone.IsZero():
		return Refuse(http.StatusGone, "Unregistered", ""), p.gone, nil
	}
	d.stats.Delivered++
	return a, time.Time{}, p.arrived
}

// complaint is what is wrong with a request, and how Apple says it.
type complaint struct {
	status      int
	reason, why string
}

func bad(reason, format string, args ...any) *complaint {
	return &complaint{http.StatusBadRequest, reason, reason + ": " + fmt.Sprintf(format, args...)}
}

func (d *Double) check(r *http.Request, body []byte) *complaint {
	switch {
	case r.ProtoMajor != 2:
		return bad("BadProtocol", "it speaks %s, not HTTP/2", r.Proto)
	case r.Method != http.MethodPost:
		return &complaint{http.StatusMethodNotAllowed, "MethodNotAllowed", "MethodNotAllowed: " + r.Method}
	case !path.MatchString(r.URL.Path) || r.URL.RawQuery != "":
		return &complaint{http.StatusNotFound, "BadPath", "BadPath: " + r.URL.String()}
	case len(body) == 0:
		return bad("PayloadEmpty", "no body")
	case len(body) > 4096:
		return &complaint{http.StatusRequestEntityTooLarge, "PayloadTooLarge", "PayloadTooLarge"}
	case !bytes.Equal(body, []byte("{}")):
		return bad("PayloadNotEmptyDictionary", "a pass is pushed with {}, got %q", body)
	}
	if wrong := d.checkHeaders(r.Header); wrong != nil {
		return wrong
	}
	if d.options.ClientCAs != nil {
		return d.checkCertificate(r)
	}
	return d.checkToken(r.Header.Get("Authorization"))
}

func (d *Double) checkHeaders(h http.Header) *complaint {
	for name, values := range h {
		if len(values) != 1 {
			return bad("DuplicateHeaders", "%s has %d values", name, len(values))
		}
		if !slices.Contains(known, name) {
			return bad("UnknownHeader", "%s", name)
		}
	}
	topic, push, priority := h.Get("apns-topic"), h.Get("apns-push-type"), h.Get("apns-priority")
	switch {
	case topic == "":
		return bad("MissingTopic", "no apns-topic")
	case topic != d.options.Topic:
		return bad("TopicDisallowed", "apns-topic is %q, not %q", topic, d.options.Topic)
	case push != "background" && push != "alert":
		return bad("InvalidPushType", "apns-push-type is %q", push)
	case priority != "" && priority != "1" && priority != "5" && priority != "10":
		return bad("BadPriority", "apns-priority is %q", priority)
	case push == "background" && priority != "5" && priority != "1":
		return bad("BadPriority", "a background push has apns-priority 5, got %q", priority)
	case h.Get("Content-Type") != "application/json":
		return bad("BadContentType", "%q", h.Get("Content-Type"))
	case len(h.Get("apns-collapse-id")) > 64:
		return bad("BadCollapseId", "longer than 64 bytes")
	}
	if id := h.Get("apns-id"); id != "" && uuid.Validate(id) != nil {
		return bad("BadMessageId", "%q", id)
	}
	if until := h.Get("apns-expiration"); until != "" {
		if _, err := strconv.ParseUint(until, 10, 63); err != nil {
			return bad("BadExpirationDate", "%q", until)
		}
	}
	return nil
}

// userID is the part of a subject in which Apple writes the pass type (RFC 4519 §2.39).
const userID = "0.9.2342.19200300.100.1.1"

// checkCertificate: the chain was checked by TLS; here it must be of the topic.
func (d *Double) checkCertificate(r *http.Request) *complaint {
	if r.Header.Get("Authorization") != "" {
		return bad("BadAuthorization", "a provider token beside a certificate")
	}
	subject := r.TLS.PeerCertificates[0].Subject
	for _, name := range subject.Names {
		if name.Type.String() == userID && name.Value == d.options.Topic {
			return nil
		}
	}
	return forbidden("BadCertificate", "%s is not of %s", subject, d.options.Topic)
}

// bearer takes the token out of an Authorization header.
func bearer(header string) (string, bool) {
	scheme, token, ok := strings.Cut(header, " ")
	return token, ok && strings.EqualFold(scheme, "bearer") && token != ""
}
