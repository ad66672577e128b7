package till

import (
	"bytes"
	"context"
	"errors"
	"slices"
)

// journalled is an entry whose changes the state store may not hold yet.
type journalled struct {
	seq      uint64
	changes  []Change
	position Change // that the store is complete through this entry
}

// look is the state store with the changes that are on their way into it. A record
// made from the journal is written once under a key of its own, or its latest counts, so
// it does no harm to find it in both.
type look struct {
	view    View
	pending []*journalled
}

// look runs fn on the present state. What is pending is taken before the view is
// opened: an entry that has left the pending ones is then in the view for sure.
func (t *Till) look(ctx context.Context, fn func(look) error) error {
	t.mu.Lock()
	pending := t.pending
	t.mu.Unlock()
	err := t.cfg.State.View(ctx, func(v View) error { return fn(look{v, pending}) })
	if errors.Is(err, ErrDamaged) {
		t.fail(err)
	}
	return err
}

// Get returns the value, or ErrAbsent.
func (l look) Get(table Table, key []byte) ([]byte, error) {
	var latest *journalled
	var value []byte
	for _, p := range l.pending {
		for _, c := range p.changes {
			if c.Table == table && bytes.Equal(c.Key, key) && (latest == nil || p.seq > latest.seq) {
				latest, value = p, c.Value
			}
		}
	}
	if latest != nil {
		return value, nil
	}
	return l.view.Get(table, key)
}

// scan calls fn once for each key that starts with prefix and is not below from, in
// no particular order. Within one prefix all keys have the same length.
func (l look) scan(table Table, prefix, from []byte, fn func(key, value []byte) error) error {
	return l.scanUntil(table, prefix, from, nil, fn)
}

// errBeyond ends the scan of a view.
var errBeyond = errors.New("beyond the last key wanted")

// scanUntil is scan that ends after the key until; nil is the end of the prefix.
func (l look) scanUntil(table Table, prefix, from, until []byte, fn func(key, value []byte) error) error {
	seen := map[string]bool{}
	for _, p := range l.pending {
		for _, c := range p.changes {
			if c.Table != table || !bytes.HasPrefix(c.Key, prefix) || bytes.Compare(c.Key, from) < 0 ||
				until != nil && bytes.Compare(c.Key, until) > 0 {
				continue
			}
			seen[string(c.Key)] = true
			if err := fn(c.Key, c.Value); err != nil {
				return err
			}
		}
	}
	err := l.view.Scan(table, prefix, from, func(key, value []byte) error {
		if until != nil && bytes.Compare(key, until) > 0 {
			return errBeyond
		}
		if seen[string(key)] {
			return nil
		}
		return fn(key, value)
	})
	if errors.Is(err, errBeyond) {
		return nil
	}
	return err
}

// keyed is a key and its value.
type keyed struct{ key, value []byte }

// first returns up to limit records in the order of their keys: those that start with
// prefix and are not below from.
func (l look) first(table Table, prefix, from []byte, limit int) ([]keyed, error) {
	var out []keyed
	inView := 0
	pending := map[string]bool{}
	for _, p := range l.pending {
		for _, c := range p.changes {
			if c.Table == table && bytes.HasPrefix(c.Key, prefix) && bytes.Compare(c.Key, from) >= 0 {
				pending[string(c.Key)] = true
				out = append(out, keyed{c.Key, c.Value})
			}
		}
	}
	err := l.view.Scan(table, prefix, from, func(key, value []byte) error {
		if inView == limit {
			return errBeyond
		}
		inView++
		if !pending[string(key)] {
			out = append(out, keyed{bytes.Clone(key), bytes.Clone(value)})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errBeyond) {
		return nil, err
	}
	slices.SortFunc(out, func(a, b keyed) int { return bytes.Compare(a.key, b.key) })
	return out[:min(len(out), limit)], nil
}
