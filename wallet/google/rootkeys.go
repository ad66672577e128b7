package google

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// DefaultRootKeys is where Google publishes the keys that callbacks are signed under.
const DefaultRootKeys = "https://pay.google.com/gp/m/issuer/keys"

// How long root keys are used before they are fetched again, and the least time between
// two fetches, whoever asks: callbacks come from anybody.
const (
	rootKeysLife = 24 * time.Hour
	rootKeysRest = time.Minute
)

// RootKeys fetches and keeps Google's root keys. It is safe for concurrent use; one
// fetch runs at a time.
type RootKeys struct {
	address string
	do      func(*http.Request) (*http.Response, error)
	now     func() time.Time

	mu    sync.Mutex
	keys  []RootKey
	until time.Time
	tried time.Time
	err   error
}

// NewRootKeys returns keys that have not been fetched; an empty address is Google's.
func NewRootKeys(address string, client *http.Client, now func() time.Time) *RootKeys {
	if address == "" {
		address = DefaultRootKeys
	}
	if client == nil {
		client = &http.Client{}
	}
	own := *client
	own.Timeout = requestTime
	return &RootKeys{address: address, do: own.Do, now: now}
}

// Get returns the keys. When they are old and cannot be fetched anew, those there were
// go on to be used: each has its own end.
func (r *RootKeys) Get(ctx context.Context) ([]RootKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if now.Before(r.until) || !r.tried.IsZero() && now.Sub(r.tried) < rootKeysRest {
		return r.have()
	}
	r.tried = now
	keys, err := r.fetch(ctx)
	r.err = err
	if err == nil {
		r.keys, r.until = keys, now.Add(rootKeysLife)
	}
	return r.have()
}

func (r *RootKeys) have() ([]RootKey, error) {
	if len(r.keys) > 0 {
		return r.keys, nil
	}
	return nil, r.err
}

func (r *RootKeys) fetch(ctx context.Context) ([]RootKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address, nil)
	if err != nil {
		return nil, err
	}
	status, header, body, err := answer(r.do, req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, failed(status, header, body)
	}
	return ReadRootKeys(body)
}
