package googledouble

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// maxBody bounds a request, in bytes.
const maxBody = 1 << 20

// resources are the kinds of thing held, and what the document calls their type.
var resources = map[string]string{
	"loyaltyClass": "LoyaltyClass", "loyaltyObject": "LoyaltyObject", "offerClass": "OfferClass", "offerObject": "OfferObject",
}

func (d *Double) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", d.giveToken)
	mux.HandleFunc("GET /gp/m/issuer/keys", d.giveRootKeys)
	api := func(pattern string, do func(r *http.Request, resource, id string, body json.RawMessage) (int, any)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { d.api(w, r, do) })
	}
	api("POST /walletobjects/v1/{resource}", d.insert)
	api("GET /walletobjects/v1/{resource}/{id}", d.get)
	api("PATCH /walletobjects/v1/{resource}/{id}", d.patch)
	api("POST /walletobjects/v1/{resource}/{id}/addMessage", d.addMessage)
	return mux
}

// api does what all requests to the REST API have in common.
func (d *Double) api(w http.ResponseWriter, r *http.Request, do func(r *http.Request, resource, id string, body json.RawMessage) (int, any)) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	body := compact(raw)
	d.mu.Lock()
	defer d.mu.Unlock()
	seen := Request{Method: r.Method, Path: strings.TrimPrefix(r.URL.Path, "/walletobjects/v1/"), At: d.o.Now(), Body: body}
	defer func() { d.log = append(d.log, seen) }()
	if f := d.fault(); f != nil {
		seen.Status = f.Status
		if f.Silence {
			panic(http.ErrAbortHandler)
		}
		if f.After != "" {
			w.Header().Set("Retry-After", f.After)
		}
		write(w, f.Status, problem(f.Status, "as told"))
		return
	}
	status, answer := d.allow(r, body, len(raw) > 0)
	if status == 0 {
		status, answer = do(r, r.PathValue("resource"), r.PathValue("id"), body)
	}
	seen.Status = status
	if status >= 400 && status != http.StatusNotFound && status != http.StatusConflict {
		d.refusals = append(d.refusals, fmt.Sprintf("%s %s: %v", r.Method, seen.Path, answer))
	}
	write(w, status, answer)
}

func (d *Double) fault() *Fault {
	if d.always != nil {
		return d.always
	}
	if len(d.faults) == 0 {
		return nil
	}
	f := d.faults[0]
	d.faults = d.faults[1:]
	return &f
}

// allow checks what comes before the resource: token, form, the kind of thing.
func (d *Double) allow(r *http.Request, body json.RawMessage, has bool) (int, any) {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	end, known := d.tokens[token]
	switch {
	case !bearer || !known || !d.o.Now().Before(end):
		return http.StatusUnauthorized, problem(http.StatusUnauthorized, "the token is not good")
	case resources[r.PathValue("resource")] == "":
		return http.StatusNotFound, problem(http.StatusNotFound, "no such resource")
	case has && (body == nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")):
		return http.StatusBadRequest, problem(http.StatusBadRequest, "the body is not JSON")
	}
	return 0, nil
}

func problem(status int, message string) any {
	return map[string]any{"error": map[string]any{"code": status, "message": message}}
}

func (d *Double) insert(_ *http.Request, resource, _ string, body json.RawMessage) (int, any) {
	fields, why := d.read(resource, body)
	id := text(fields["id"])
	if why == "" {
		why = d.wrong(resource, fields)
	}
	switch {
	case why != "":
		return http.StatusBadRequest, problem(http.StatusBadRequest, why)
	case !strings.HasPrefix(id, d.o.Issuer+"."):
		return http.StatusForbidden, problem(http.StatusForbidden, "the account may not write for the issuer of "+id)
	case d.stored[resource+"/"+id] != nil:
		return http.StatusConflict, problem(http.StatusConflict, id+" exists")
	}
	d.keep(resource, id, fields)
	return http.StatusOK, fields
}

func (d *Double) get(_ *http.Request, resource, id string, _ json.RawMessage) (int, any) {
	if fields := d.stored[resource+"/"+id]; fields != nil {
		return http.StatusOK, fields
	}
	return http.StatusNotFound, problem(http.StatusNotFound, id+" not found")
}

// patch takes over the fields given; null takes one away.
func (d *Double) patch(_ *http.Request, resource, id string, body json.RawMessage) (int, any) {
	old := d.stored[resource+"/"+id]
	if old == nil {
		return http.StatusNotFound, problem(http.StatusNotFound, id+" not found")
	}
	given, why := d.read(resource, body)
	merged := map[string]json.RawMessage{}
	for name, raw := range old {
		merged[name] = raw
	}
	for name, raw := range given {
		if merged[name] = raw; string(raw) == "null" {
			delete(merged, name)
		}
	}
	if why == "" && text(merged["id"]) != id {
		why = "the id cannot be changed"
	}
	if why == "" {
		why = d.wrong(resource, merged)
	}
	if why != "" {
		return http.StatusBadRequest, problem(http.StatusBadRequest, why)
	}
	d.keep(resource, id, merged)
	return http.StatusOK, merged
}

// keep stores fields. The wish to notify holds for one request only.
func (d *Double) keep(resource, id string, fields map[string]json.RawMessage) {
	if text(fields["notifyPreference"]) == "NOTIFY_ON_UPDATE" {
		d.tell(resource, id, true)
	}
	delete(fields, "notifyPreference")
	d.stored[resource+"/"+id] = fields
}

func (d *Double) tell(resource, id string, notify bool) {
	at := resource + "/" + id
	d.messages[at] = append(d.messages[at], told{at: d.o.Now(), notify: notify})
}

func (d *Double) addMessage(_ *http.Request, resource, id string, body json.RawMessage) (int, any) {
	fields := d.stored[resource+"/"+id]
	if fields == nil {
		return http.StatusNotFound, problem(http.StatusNotFound, id+" not found")
	}
	if d.o.Discovery != nil {
		if found := d.o.Discovery.Check("AddMessageRequest", body); len(found) > 0 {
			return http.StatusBadRequest, problem(http.StatusBadRequest, strings.Join(found, "; "))
		}
	}
	var of struct {
		Message json.RawMessage `json:"message"`
	}
	var message struct {
		Header string `json:"header"`
		Body   string `json:"body"`
		Type   string `json:"messageType"`
	}
	if json.Unmarshal(body, &of) != nil || json.Unmarshal(of.Message, &message) != nil || message.Header == "" || message.Body == "" {
		return http.StatusBadRequest, problem(http.StatusBadRequest, "a message needs a header and a body")
	}
	d.tell(resource, id, message.Type == "TEXT_AND_NOTIFY")
	var all []json.RawMessage
	if raw := fields["messages"]; raw != nil && json.Unmarshal(raw, &all) != nil {
		return http.StatusInternalServerError, problem(http.StatusInternalServerError, "messages are not a list")
	}
	all = append(all, of.Message)
	raw, err := json.Marshal(all[max(0, len(all)-10):])
	if err != nil {
		return http.StatusInternalServerError, problem(http.StatusInternalServerError, err.Error())
	}
	fields["messages"] = raw
	return http.StatusOK, map[string]any{"resource": fields}
}

// Peak is the most requests to the API in any second.
func (d *Double) Peak() int {
	all := d.Requests()
	most, from := 0, 0
	for i, r := range all {
		for r.At.Sub(all[from].At) >= time.Second {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}
