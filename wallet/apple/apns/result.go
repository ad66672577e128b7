package apns

import (
	"net/http"
	"strconv"
	"time"
)

// Outcome says what the caller has to do after a push.
type Outcome string

// The outcomes. Only Gone and BadToken say something about the phone.
const (
	// Sent: Apple took the push.
	Sent Outcome = "sent"
	// Gone: the phone no longer has this token (410). A registration made before
	// Result.Since can be deleted; a later one was made after Apple knew.
	Gone Outcome = "gone"
	// BadToken: this was never a token of this topic. The registration can be deleted.
	BadToken Outcome = "bad_token"
	// Throttled: too many pushes (429), to this phone or in all. Wait Result.After.
	Throttled Outcome = "throttled"
	// Later: Apple is in trouble or was not reached, or the answer was lost. Pushing
	// again is harmless, since a push only says "ask".
	Later Outcome = "later"
	// AuthExpired: the provider token had expired or is not accepted (403). A new one
	// is made as soon as Apple's 20 minutes allow; push again then.
	AuthExpired Outcome = "auth_expired"
	// Refused: the certificate, key, topic or request is wrong. No push will succeed
	// until somebody has put that right.
	Refused Outcome = "refused"
)

// Result is what became of one push.
type Result struct {
	Outcome Outcome
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Reason is Apple's word for it ("Unregistered"), or ours when Apple did not speak.
	Reason string
	// Since is when Apple learnt that a token is Gone; zero when it did not say.
	Since time.Time
	// After is how long Apple asks to wait (Retry-After); 0 when it did not say.
	After time.Duration
	// ID is Apple's id of the notification (apns-id), for questions to Apple.
	ID string
}

// answer is the JSON body of a refusal.
type answer struct {
	Reason    string `json:"reason"`
	Timestamp int64  `json:"timestamp"` // of a 410, milliseconds since 1970
}

// expiredToken are the reasons of a 403 that a new provider token may cure.
var expiredToken = map[string]bool{"ExpiredProviderToken": true, "InvalidProviderToken": true}

// wrongToken are the reasons of a 400 that speak of the device token alone.
var wrongToken = map[string]bool{"BadDeviceToken": true, "DeviceTokenNotForTopic": true, "MissingDeviceToken": true}

// read makes the result of what Apple answered.
func read(status int, header http.Header, a answer, now time.Time) Result {
	r := Result{Status: status, Reason: a.Reason, ID: header.Get("apns-id"), Outcome: outcomeOf(status, a.Reason)}
	if r.Reason == "" && status != http.StatusOK {
		r.Reason = http.StatusText(status)
	}
	switch r.Outcome {
	case Gone:
		if a.Timestamp > 0 {
			r.Since = time.UnixMilli(a.Timestamp).UTC()
		}
	case Throttled, Later:
		r.After = retryAfter(header.Get("Retry-After"), now)
	}
	return r
}

func outcomeOf(status int, reason string) Outcome {
	switch {
	case status == http.StatusOK:
		return Sent
	case status == http.StatusGone:
		return Gone
	case status == http.StatusTooManyRequests:
		return Throttled
	case status >= 500:
		return Later
	case status == http.StatusBadRequest && wrongToken[reason]:
		return BadToken
	case status == http.StatusBadRequest && reason == "IdleTimeout":
		return Later
	case status == http.StatusForbidden && expiredToken[reason]:
		return AuthExpired
	}
	return Refused
}

// longestWait bounds what a header can make us wait.
const longestWait = time.Hour

// retryAfter reads a Retry-After (RFC 9110 §10.2.3): seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	var wait time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestWait)
}
