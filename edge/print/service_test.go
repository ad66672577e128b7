package print_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tallystick/tallystick/edge/print"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/printer"
)

func start(t *testing.T, address string) *print.Service {
	t.Helper()
	transport, err := print.Open(address, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	s := print.Start(transport, time.Now, func(print.State) {})
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestANetworkPrinterGetsTheReceipt(t *testing.T) {
	for name, state := range map[string]byte{"ready": printer.Ready, "says nothing": 0, "says nonsense": 0xff} {
		address, got := printer.Start(t, state)
		s := start(t, address)
		want := bytes.Repeat([]byte("receipt "), 10_000)
		if err := s.Print(t.Context(), want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if raw := <-got; !bytes.Equal(raw, want) {
			t.Errorf("%s: %d of %d bytes", name, len(raw), len(want))
		}
		if state := s.State(); state.Err != nil || state.At.IsZero() || state.Queue != 0 {
			t.Errorf("%s: %+v", name, state)
		}
	}
}

func TestAPrinterThatIsNotReadySaysWhy(t *testing.T) {
	for want, state := range map[string]byte{"no paper": printer.Ready | printer.NoPaper, "lid is open": printer.Ready | 0x04, "an error": printer.Ready | 0x40} {
		address, got := printer.Start(t, state)
		s := start(t, address)
		err := s.Print(t.Context(), []byte("receipt"))
		if problem.CodeOf(err) != problem.PrinterAway || !errors.Is(err, print.ErrPrinter) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if raw := <-got; len(raw) != 0 {
			t.Errorf("%s: it got %q all the same", want, raw)
		}
		if s.State().Err == nil {
			t.Errorf("%s: the state says nothing of it", want)
		}
	}
}

func TestAPrinterThatIsAwayIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	unplugged := filepath.Join(t.TempDir(), "lp0")
	for _, at := range []string{"tcp://" + address, "file://" + unplugged} {
		if err := start(t, at).Print(t.Context(), []byte("receipt")); problem.CodeOf(err) != problem.PrinterAway {
			t.Errorf("%s: %v", at, err)
		}
	}
	if _, err := os.Stat(unplugged); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the receipt went into a file of the device's name: %v", err)
	}
}

func TestADeviceFileGetsTheReceipts(t *testing.T) {
	device := filepath.Join(t.TempDir(), "lp0")
	if err := os.WriteFile(device, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, "file://"+device)
	for range 2 {
		if err := s.Print(t.Context(), []byte("receipt")); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(device); err != nil || string(got) != "receiptreceipt" {
		t.Errorf("%q, %v", got, err)
	}
}

// stuck is a printer that takes nothing until it is let go.
type stuck struct{ begun, free chan struct{} }

func (s stuck) Send(context.Context, []byte) error {
	s.begun <- struct{}{}
	<-s.free
	return nil
}

// A printer that hangs holds nobody up: what waits is bounded, and so is waiting.
func TestAPrinterThatHangsHoldsNobodyUp(t *testing.T) {
	printer := stuck{make(chan struct{}, print.MaxQueue+1), make(chan struct{})}
	tried := make(chan print.State, print.MaxQueue+2)
	s := print.Start(printer, time.Now, func(state print.State) { tried <- state })
	var dropped atomic.Int64
	failed := func() { dropped.Add(1) }
	if err := s.Put([]byte("first"), failed); err != nil {
		t.Fatal(err)
	}
	<-printer.begun
	for n := range print.MaxQueue - 1 {
		if err := s.Put([]byte("more"), failed); err != nil {
			t.Fatalf("receipt %d: %v", n, err)
		}
	}
	ended, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if err := s.Print(ended, []byte("last")); problem.CodeOf(err) != problem.PrinterAway {
		t.Errorf("waiting in vain: %v", err)
	}
	if err := s.Put([]byte("too many"), failed); problem.CodeOf(err) != problem.PrinterBusy {
		t.Errorf("a full queue: %v", err)
	}
	if got := s.State().Queue; got != print.MaxQueue+1 {
		t.Errorf("%d receipts wait", got)
	}
	if n := dropped.Load(); n != 0 {
		t.Errorf("%d receipts failed that only wait", n)
	}
	if err := s.Stop(ended); err == nil {
		t.Error("it has stopped while the printer hangs")
	}
	close(printer.free)
	for range print.MaxQueue + 1 {
		<-tried
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if n := dropped.Load(); n != print.MaxQueue-1 {
		t.Errorf("%d receipts were dropped at the end, %d waited", n, print.MaxQueue-1)
	}
	if err := s.Put([]byte("late"), func() {}); problem.CodeOf(err) != problem.PrinterAway {
		t.Errorf("after the end: %v", err)
	}
}

func TestThereIsOneFirstReceiptOfEachEntry(t *testing.T) {
	o := print.NewOriginals(7)
	if o.Take(7) || !o.Take(8) || o.Take(8) {
		t.Error("the first receipt of entry 8 was to be had once, of 7 never")
	}
	if o.GiveBack(8); !o.Take(8) {
		t.Error("it was not printed, and is gone")
	}
}
