package tilltest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tallystick/tallystick/edge/till"
)

// ErrKilled is what a store or journal answers after it was killed.
var ErrKilled = errors.New("killed by the test")

// State is a state store in memory.
type State struct {
	mu     sync.Mutex
	values map[string][]byte
	left   int // writes until it is killed; negative: never
}

// NewState returns an empty store.
func NewState() *State { return &State{values: map[string][]byte{}, left: -1} }

// KillAfter lets n more writes through; all later ones fail, as those of a process
// that was killed.
func (s *State) KillAfter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = n
}

// Dump returns all keys and values, for comparing stores.
func (s *State) Dump() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]string{}
	for k, v := range s.values {
		out[k] = string(v)
	}
	return out
}

// View runs fn on a copy of the store.
func (s *State) View(ctx context.Context, fn func(till.View) error) error {
	s.mu.Lock()
	snapshot := maps.Clone(s.values)
	s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(memoryView(snapshot))
}

// Apply makes all changes or none.
func (s *State) Apply(_ context.Context, changes []till.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		return ErrKilled
	}
	s.left--
	for _, c := range changes {
		if len(c.Key) == 0 {
			return errors.New("empty key")
		}
	}
	for _, c := range changes {
		at := string(rune(c.Table)) + string(c.Key)
		if c.Value == nil {
			delete(s.values, at)
			continue
		}
		s.values[at] = bytes.Clone(c.Value)
	}
	return nil
}

// Sync does nothing: memory has no power to lose.
func (s *State) Sync(context.Context) error { return nil }

// Reset removes everything.
func (s *State) Reset(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.values)
	return nil
}

type memoryView map[string][]byte

func (v memoryView) Get(table till.Table, key []byte) ([]byte, error) {
	value, there := v[string(rune(table))+string(key)]
	if !there {
		return nil, till.ErrAbsent
	}
	return bytes.Clone(value), nil
}

func (v memoryView) Scan(table till.Table, prefix, from []byte, fn func(key, value []byte) error) error {
	if from == nil {
		from = prefix
	}
	var keys []string
	for k := range v {
		if k[0] == byte(table) && strings.HasPrefix(k[1:], string(prefix)) && k[1:] >= string(from) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := fn([]byte(k[1:]), bytes.Clone(v[k])); err != nil {
			return err
		}
	}
	return nil
}
