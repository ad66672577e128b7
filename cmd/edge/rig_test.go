package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

// running is an agent in this process, with the program's own flags.
type running struct {
	t       *testing.T
	stop    context.CancelFunc
	ended   chan int
	line    readyLine
	token   string
	log     *lockedBuffer
	stopped sync.Once
}

type readyLine struct {
	Ready     bool   `json:"ready"`
	Address   string `json:"address"`
	Data      string `json:"data"`
	TokenFile string `json:"token_file"`
	Sandbox   bool   `json:"sandbox"`
	Codes     struct {
		Codes []struct{ Name, Code string } `json:"codes"`
	} `json:"codes"`
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// start runs the program and waits for its ready line.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r := &running{t: t, stop: stop, ended: make(chan int, 1), log: &lockedBuffer{}}
	out, in := io.Pipe()
	go func() {
		code := run(ctx, args, std{in: strings.NewReader(""), out: in, err: r.log})
		_ = in.Close()
		r.ended <- code
	}()
	if err := json.NewDecoder(out).Decode(&r.line); err != nil {
		t.Fatalf("no ready line: %v\n%s", err, r.log)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	token, err := os.ReadFile(r.line.TokenFile)
	if err != nil {
		t.Fatal(err)
	}
	r.token = strings.TrimSpace(string(token))
	t.Cleanup(func() { r.end(0) })
	return r
}

// end stops the program and checks its exit code.
func (r *running) end(want int) {
	r.t.Helper()
	r.stopped.Do(func() {
		r.stop()
		select {
		case code := <-r.ended:
			if code != want {
				r.t.Errorf("exit code %d, want %d\n%s", code, want, r.log)
			}
		case <-time.After(15 * time.Second):
			r.t.Errorf("still running after the stop\n%s", r.log)
		}
	})
}

func (r *running) code(name string) string {
	for _, c := range r.line.Codes.Codes {
		if c.Name == name {
			return c.Code
		}
	}
	r.t.Fatalf("no sandbox code %s", name)
	return ""
}

// call sends a body and returns the fields of the answer.
func (r *running) call(method, path, key, body string) map[string]any {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, r.line.Address+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		r.t.Fatalf("%s %s: %v", method, path, err)
	}
	return out
}

// post is call for a call that must succeed.
func (r *running) post(path, key, body string) map[string]any {
	r.t.Helper()
	out := r.call(http.MethodPost, path, key, body)
	if code, ok := out["code"].(string); ok && problem.Table[problem.Code(code)].Status != 0 {
		r.t.Fatalf("%s: %v", path, out)
	}
	return out
}
