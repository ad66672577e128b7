package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"
)

// A stop by signal exits 0 in time, whatever connections are open.
func TestStopIsInTimeWithASilentConnection(t *testing.T) {
	r := start(t, "run", "--sandbox", "--listen", "127.0.0.1:0")
	silent, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", strings.TrimPrefix(r.line.Address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	r.call("GET", "/v1/status", "", "") // the silent connection is accepted before
	began := time.Now()
	r.end(0)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %s", took)
	}
}

func TestStopRightAfterTheReadyLine(t *testing.T) {
	for range 5 {
		start(t, "run", "--sandbox", "--listen", "127.0.0.1:0").end(0)
	}
}
