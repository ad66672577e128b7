package tilltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tallystick/tallystick/edge/till"
)

// TestState holds a state store to the rules of till.State. open returns an empty
// store that lives as long as the test.
func TestState(t *testing.T, open func(t *testing.T) till.State) {
	rules := map[string]func(*testing.T, till.State){
		"absent": absent, "last value counts": lastValue, "removed": removed, "scan": scan,
		"view is one moment": oneMoment, "nothing of a refused batch": refusedBatch, "reset": reset,
		"largest batch": largest, "values are copies": copies, "fn's error comes back": errorBack,
		"ended context": ended,
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) { rule(t, open(t)) })
	}
}

func apply(t *testing.T, s till.State, changes ...till.Change) {
	t.Helper()
	if err := s.Apply(context.Background(), changes); err != nil {
		t.Fatal(err)
	}
}

func set(table till.Table, key, value string) till.Change {
	return till.Change{Table: table, Key: []byte(key), Value: []byte(value)}
}

func view(t *testing.T, s till.State, fn func(till.View)) {
	t.Helper()
	err := s.View(context.Background(), func(v till.View) error { fn(v); return nil })
	if err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, v till.View, table till.Table, key, value string) {
	t.Helper()
	got, err := v.Get(table, []byte(key))
	if value == "" {
		if !errors.Is(err, till.ErrAbsent) {
			t.Errorf("table %d %q: %q, %v; want absent", table, key, got, err)
		}
		return
	}
	if err != nil || string(got) != value {
		t.Errorf("table %d %q: %q, %v; want %q", table, key, got, err, value)
	}
}

func absent(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"))
	view(t, s, func(v till.View) {
		want(t, v, 1, "b", "")
		want(t, v, 2, "a", "")
		want(t, v, 1, "aa", "")
	})
}

func lastValue(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"), set(1, "a", "2"))
	view(t, s, func(v till.View) { want(t, v, 1, "a", "2") })
	apply(t, s, set(1, "a", "3"))
	view(t, s, func(v till.View) { want(t, v, 1, "a", "3") })
}

func removed(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"), set(1, "b", "1"))
	apply(t, s, till.Change{Table: 1, Key: []byte("a")}, till.Change{Table: 1, Key: []byte("never there")})
	view(t, s, func(v till.View) { want(t, v, 1, "a", ""); want(t, v, 1, "b", "1") })
}

func scan(t *testing.T, s till.State) {
	for _, k := range []string{"b", "a\x00", "a", "ab\xff", "ab", "c", "a\xff\xff"} {
		apply(t, s, set(3, k, "v"+k), set(2, k, "x"), set(4, k, "x"))
	}
	for _, c := range []struct {
		prefix, from string
		noFrom       bool
		want         []string
	}{
		{"", "", true, []string{"a", "a\x00", "ab", "ab\xff", "a\xff\xff", "b", "c"}},
		{"a", "", true, []string{"a", "a\x00", "ab", "ab\xff", "a\xff\xff"}},
		{"a", "ab", false, []string{"ab", "ab\xff", "a\xff\xff"}},
		{"ab", "ab\x01", false, []string{"ab\xff"}},
		{"a", "b", false, nil},
		{"", "b", false, []string{"b", "c"}},
		{"z", "", true, nil},
	} {
		var got []string
		from := []byte(c.from)
		if c.noFrom {
			from = nil
		}
		view(t, s, func(v till.View) {
			err := v.Scan(3, []byte(c.prefix), from, func(key, value []byte) error {
				if string(value) != "v"+string(key) {
					t.Errorf("key %q has value %q", key, value)
				}
				got = append(got, string(key))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
			t.Errorf("scan of %q from %q: %q, want %q", c.prefix, c.from, got, c.want)
		}
	}
}

func oneMoment(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"))
	view(t, s, func(v till.View) {
		apply(t, s, set(1, "a", "2"), set(1, "b", "2"))
		want(t, v, 1, "a", "1")
		want(t, v, 1, "b", "")
	})
	view(t, s, func(v till.View) { want(t, v, 1, "a", "2"); want(t, v, 1, "b", "2") })
}

func refusedBatch(t *testing.T, s till.State) {
	if err := s.Apply(context.Background(), []till.Change{set(1, "a", "1"), {Table: 1, Value: []byte("no key")}}); err == nil {
		t.Fatal("a batch with an empty key was taken")
	}
	view(t, s, func(v till.View) { want(t, v, 1, "a", "") })
	apply(t, s, set(1, "b", "1"))
}

func reset(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"), set(9, "b", "1"))
	if err := s.Reset(context.Background()); err != nil {
		t.Fatal(err)
	}
	view(t, s, func(v till.View) { want(t, v, 1, "a", ""); want(t, v, 9, "b", "") })
	apply(t, s, set(1, "a", "2"))
	view(t, s, func(v till.View) { want(t, v, 1, "a", "2") })
}

func largest(t *testing.T, s till.State) {
	var changes []till.Change
	for size := 0; size+64+64+20 < till.MaxBatchBytes; size += 64 + 20 + 64 {
		changes = append(changes, set(1, fmt.Sprintf("%020d", size), string(bytes.Repeat([]byte{1}, 64))))
	}
	apply(t, s, changes...)
	if err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	n := 0
	view(t, s, func(v till.View) {
		if err := v.Scan(1, nil, nil, func(_, _ []byte) error { n++; return nil }); err != nil {
			t.Fatal(err)
		}
	})
	if n != len(changes) {
		t.Errorf("%d of %d keys", n, len(changes))
	}
}

func copies(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"))
	view(t, s, func(v till.View) {
		got, err := v.Get(1, []byte("a"))
		if err != nil {
			t.Fatal(err)
		}
		got[0] = 'x'
	})
	view(t, s, func(v till.View) { want(t, v, 1, "a", "1") })
}

func errorBack(t *testing.T, s till.State) {
	apply(t, s, set(1, "a", "1"), set(1, "b", "1"))
	stop := errors.New("stop")
	calls := 0
	err := s.View(context.Background(), func(v till.View) error {
		return v.Scan(1, nil, nil, func(_, _ []byte) error { calls++; return stop })
	})
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}

func ended(t *testing.T, s till.State) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.View(ctx, func(till.View) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
}
