package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/google/uuid"
)

func TestBodiesHoldNoMoreThanTheirRooms(t *testing.T) {
	rooms := &rooms{anybody: room{left: 40 << 10}, known: room{left: 20 << 10}}
	body := func(n int) io.Reader { return bytes.NewReader(make([]byte, n)) }
	coming := func(known bool) *arriving {
		return &arriving{rooms: rooms, known: func() bool { return known }}
	}
	first := coming(false)
	if got, err := first.read(body(30<<10), 1<<20); err != nil || len(got) != 30<<10 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	stranger := coming(false)
	if _, err := stranger.read(body(30<<10), 1<<20); !errors.Is(err, errNoRoom) {
		t.Errorf("a stranger when it is full: %v", err)
	}
	stranger.end()
	if got, err := coming(false).read(body(freeBytes), freeBytes); err != nil || len(got) != freeBytes {
		t.Errorf("a small one when it is full: %d, %v", len(got), err)
	}
	known := coming(true)
	if got, err := known.read(body(15<<10), 1<<20); err != nil || len(got) != 15<<10 {
		t.Errorf("a known caller when it is full: %d, %v", len(got), err)
	}
	known.end()
	first.end()
	if rooms.anybody.left != 40<<10 || rooms.known.left != 20<<10 {
		t.Errorf("%d and %d are left after all", rooms.anybody.left, rooms.known.left)
	}
	large := coming(false)
	defer large.end()
	if got, err := large.read(body(9000), 8000); err != nil || len(got) != 8001 {
		t.Errorf("one too large: %d bytes, %v", len(got), err)
	}
}

func TestANewerPollOfATerminalEndsTheOlder(t *testing.T) {
	p := newPolls(2)
	a, b, c := uuid.New(), uuid.New(), uuid.New()
	older, olderDone, _ := p.begin(t.Context(), a)
	newer, newerDone, ok := p.begin(t.Context(), a)
	if !ok || !errors.Is(context.Cause(older), errNewerPoll) || newer.Err() != nil {
		t.Errorf("%v, older %v, newer %v", ok, context.Cause(older), newer.Err())
	}
	olderDone() // its end must not end the newer one
	if newer.Err() != nil || p.count() != 1 {
		t.Errorf("newer %v, %d wait", newer.Err(), p.count())
	}
	_, done, _ := p.begin(t.Context(), b)
	if _, _, ok := p.begin(t.Context(), c); ok {
		t.Error("a third one waits where two may")
	}
	if _, _, ok := p.begin(t.Context(), b); !ok {
		t.Error("one that waits may not wait again")
	}
	done()
	newerDone()
	if _, _, ok := p.begin(t.Context(), c); !ok {
		t.Error("nobody may wait after others left")
	}
}

func TestGuessersOnIPv6AreCountedByTheirNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "2001:db8::1": "2001:db8::/64", "2001:db8:0:0:9::1": "2001:db8::/64", "": "",
	} {
		if got := network(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
