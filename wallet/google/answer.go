package google

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Kind is what an answer of Google's asks of us.
type Kind string

// The kinds of failure.
const (
	// Unauthorized: the token is not taken; a new one may be.
	Unauthorized Kind = "unauthorized"
	// Denied: the account may not write for this issuer, until a person allows it.
	Denied Kind = "denied"
	// Missing: there is no such class or object; it is to be inserted.
	Missing Kind = "missing"
	// Exists: it is there already; it is to be patched.
	Exists Kind = "exists"
	// Refused: the body is not taken, and will not be as it is.
	Refused Kind = "refused"
	// Later: too many requests, Google's own fault, or no answer; the same again later.
	Later Kind = "later"
)

// Failure is an answer of Google's that is not what was asked for.
type Failure struct {
	Kind   Kind
	Status int           // 0 when there was no answer
	After  time.Duration // what Google asks to wait; 0 when it says nothing
	Reason string        // Google's words, for people
	cause  error
}

// Error implements error.
func (f *Failure) Error() string {
	if f.Status == 0 {
		return fmt.Sprintf("google: no answer: %v", f.cause)
	}
	return fmt.Sprintf("google: %d %s: %s", f.Status, f.Kind, f.Reason)
}

// Unwrap implements errors.Unwrap.
func (f *Failure) Unwrap() error { return f.cause }

// KindOf is the kind of a failure; empty for another error.
func KindOf(err error) Kind {
	var f *Failure
	if errors.As(err, &f) {
		return f.Kind
	}
	return ""
}

// AfterOf is how long Google asked to wait; 0 when it did not.
func AfterOf(err error) time.Duration {
	var f *Failure
	if errors.As(err, &f) {
		return f.After
	}
	return 0
}

// maxReason bounds Google's words, in characters; maxAfter what it may have us wait.
const (
	maxReason = 300
	maxAfter  = time.Hour
)

// failed reads an answer of another status than 200.
func failed(status int, header http.Header, body []byte) *Failure {
	f := &Failure{Kind: kindOf(status), Status: status, Reason: reason(body)}
	if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil && s > 0 {
		f.After = min(time.Duration(min(s, int(maxAfter/time.Second)))*time.Second, maxAfter)
	}
	return f
}

func kindOf(status int) Kind {
	switch status {
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return Denied
	case http.StatusNotFound:
		return Missing
	case http.StatusConflict:
		return Exists
	case http.StatusTooManyRequests, http.StatusRequestTimeout:
		return Later
	}
	if status >= 500 || status < 400 {
		return Later // also a redirect or a success that is not ours: a proxy, not Google
	}
	return Refused
}

// reason reads Google's error body, {"error":{"message":…}} or that of its token
// endpoint, {"error":…,"error_description":…}.
func reason(body []byte) string {
	var of struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	var inner struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &of) != nil {
		return "the answer has no reason"
	}
	if json.Unmarshal(of.Error, &inner) == nil && inner.Message != "" {
		return cut(inner.Message, "", maxReason)
	}
	return cut(of.Description, "the answer has no reason", maxReason)
}
