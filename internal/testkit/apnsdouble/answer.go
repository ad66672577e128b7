package apnsdouble

import (
	"encoding/binary"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Answer is what the double does with a push that is in order.
type Answer struct {
	kind   kind
	status int
	reason string
	after  string
}

type kind int

const (
	deliver kind = iota
	refuse
	goAwayUnseen
	goAwayLost
	silent
)

// Deliver hands the push to the phone and answers 200.
func Deliver() Answer { return Answer{kind: deliver} }

// Refuse answers a status with Apple's reason; after is the Retry-After, or "".
func Refuse(status int, reason, after string) Answer {
	return Answer{kind: refuse, status: status, reason: reason, after: after}
}

// TooMany answers 429; after is the Retry-After, or "".
func TooMany(after string) Answer {
	return Refuse(http.StatusTooManyRequests, "TooManyRequests", after)
}

// Broken answers 500.
func Broken() Answer {
	return Refuse(http.StatusInternalServerError, "InternalServerError", "")
}

// GoAway ends the connection and says that none of its open pushes was looked at, so
// that a client may send them again by itself (RFC 9113 §6.8).
func GoAway() Answer { return Answer{kind: goAwayUnseen} }

// GoAwayLost ends the connection and leaves open whether its pushes were looked at.
func GoAwayLost() Answer { return Answer{kind: goAwayLost} }

// Silence answers nothing until the client gives up.
func Silence() Answer { return Answer{kind: silent} }

// name is how the answer counts in [Stats].
func (a Answer) name() string {
	switch a.kind {
	case refuse:
		return strconv.Itoa(a.status) + " " + a.reason
	case goAwayUnseen, goAwayLost:
		return "goaway"
	case silent:
		return "silence"
	}
	return "200"
}

// give carries an answer out.
func (d *Double) give(w http.ResponseWriter, r *http.Request, a Answer, since time.Time) {
	d.mu.Lock()
	d.stats.Answers[a.name()]++
	d.mu.Unlock()
	switch a.kind {
	case silent:
		select {
		case <-r.Context().Done():
		case <-d.ending:
		}
		panic(http.ErrAbortHandler)
	case goAwayUnseen:
		d.endConnection(w, r, 0)
	case goAwayLost:
		d.endConnection(w, r, 1<<31-1)
	}
	w.Header().Set("apns-id", uuid.NewString())
	w.Header().Set("Server", "apnsdouble (a double for tests, not Apple)")
	if a.kind == deliver {
		w.WriteHeader(http.StatusOK)
		return
	}
	if a.after != "" {
		w.Header().Set("Retry-After", a.after)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	said := map[string]any{"reason": a.reason}
	if !since.IsZero() {
		said["timestamp"] = since.UnixMilli()
	}
	_ = json.NewEncoder(w).Encode(said) // a client that left needs no answer
}

// endConnection writes a GOAWAY frame (RFC 9113 §6.8) with the last stream looked at,
// which net/http would only do in good order, and closes the connection.
//
// On a new connection the server's own first frame may not have left yet, and what comes
// before it breaks the protocol. A hint goes out behind that frame and is waited for.
func (d *Double) endConnection(w http.ResponseWriter, r *http.Request, last uint32) {
	w.Header().Set("apns-id", uuid.NewString()) // net/http waits for headers only when there are some
	w.WriteHeader(http.StatusEarlyHints)
	c, _ := r.Context().Value(connection{}).(net.Conn)
	const why = `{"reason":"Shutdown"}`
	frame := make([]byte, 9, 64)
	frame[2], frame[3] = byte(8+len(why)), 0x7 // length and type; no flags, stream 0
	frame = binary.BigEndian.AppendUint32(frame, last)
	frame = binary.BigEndian.AppendUint32(frame, 0) // NO_ERROR
	_, _ = c.Write(append(frame, why...))           // the connection is being ended anyway
	_ = c.Close()
	panic(http.ErrAbortHandler)
}
