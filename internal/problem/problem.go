package problem

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ContentType is the media type of a rendered problem (RFC 9457).
const ContentType = "application/problem+json"

// typeBase makes a code into the problem type URI of RFC 9457 §3.1.1.
const typeBase = "https://tallystick.dev/problems/"

// Error is an error with a stable code. Detail may name values the caller sent;
// it never carries secrets. Err is the cause, for errors.Is and the log only.
type Error struct {
	Code   Code
	Detail string
	// Fields names the offending members of a request body, JSON pointer to reason.
	Fields map[string]string
	// RetryAfter is in seconds; zero leaves the header out.
	RetryAfter int
	Err        error
}

// New returns an error of this code. The detail is shown to the caller.
func New(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// Newf is New with a format.
func Newf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Wrap gives a cause a code. The cause is never shown to the caller.
func Wrap(code Code, err error, detail string) *Error {
	return &Error{Code: code, Detail: detail, Err: err}
}

func (e *Error) Error() string {
	text := string(e.Code)
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is matches any error of the same code, so errors.Is(err, problem.New(CodeX, ""))
// works without comparing details.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code
}

// CodeOf returns the code of the first coded error in err's chain, or Internal.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Body is the JSON of RFC 9457 with our extensions: code, say, and fields. Say is
// the sentence a cashier can read aloud and act on.
type Body struct {
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Code   Code              `json:"code"`
	Detail string            `json:"detail,omitempty"`
	Say    string            `json:"say,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Render makes the body for any error. An error without a code, and one whose code
// is not in the table, becomes Internal and reveals nothing.
func Render(err error) Body {
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Code: Internal}
	}
	row, ok := Table[e.Code]
	if !ok {
		e, row = &Error{Code: Internal}, Table[Internal]
	}
	return Body{
		Type: typeBase + string(e.Code), Title: row.Title, Status: row.Status,
		Code: e.Code, Detail: e.Detail, Say: row.Say, Fields: e.Fields,
	}
}

// Parse rebuilds the error a peer rendered. Bytes that are no problem become an
// Unavailable error naming the status: the peer, or something between, is broken.
func Parse(status int, raw []byte) *Error {
	var b Body
	if err := json.Unmarshal(raw, &b); err != nil || b.Code == "" {
		return Newf(Unavailable, "answer with status %d is no problem document", status)
	}
	return &Error{Code: b.Code, Detail: b.Detail, Fields: b.Fields}
}
