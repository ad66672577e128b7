package process_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/process"
)

// role makes the test binary play a child when it is set.
const role = "TALLYSTICK_PROCESS_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "server":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		fmt.Fprintln(os.Stderr, "starting")
		fmt.Print("rea")
		fmt.Println("dy at 7070")
		<-stop
		fmt.Println("bye")
		os.Exit(0)
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
		fmt.Println("ready")
		select {}
	case "broken":
		fmt.Fprintln(os.Stderr, "no disk")
		os.Exit(3)
	case "silent":
		_, _ = io.Copy(io.Discard, os.Stdin)
		time.Sleep(time.Hour)
	}
	os.Exit(m.Run())
}

func spec(t *testing.T, as string) process.Spec {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process.Spec{
		Name: as, Path: self, Env: []string{role + "=" + as},
		Ready: func(line []byte) bool { return bytes.HasPrefix(line, []byte("ready")) },
	}
}

func TestReadyLineAndStop(t *testing.T) {
	var copied bytes.Buffer
	s := spec(t, "server")
	s.Log = &copied
	p, err := process.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.ReadyLine()); got != "ready at 7070" {
		t.Fatalf("ready line %q", got)
	}
	if !p.Running() || p.ReadyAfter() <= 0 {
		t.Fatalf("running %t, ready after %s", p.Running(), p.ReadyAfter())
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p.Running() {
		t.Fatal("still running after Stop")
	}
	for _, want := range []string{"starting\n", "ready at 7070\n", "bye\n"} {
		if !strings.Contains(p.Log(), want) || !strings.Contains(copied.String(), want) {
			t.Errorf("log lacks %q: %q, copy %q", want, p.Log(), copied.String())
		}
	}
}

func TestKillIsSIGKILL(t *testing.T) {
	p, err := process.Start(t.Context(), spec(t, "stubborn"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(t.Context()); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("ended with %v", err)
	}
	if err := p.Kill(); err != nil {
		t.Fatalf("second kill: %v", err)
	}
}

func TestStopOfAStubbornProcessKillsAndSaysSo(t *testing.T) {
	p, err := process.Start(t.Context(), spec(t, "stubborn"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx); err == nil || !strings.Contains(err.Error(), "did not end by itself") {
		t.Fatalf("stop: %v", err)
	}
	if p.Running() {
		t.Fatal("left running")
	}
}

func TestStartTellsWhyAProcessEnded(t *testing.T) {
	_, err := process.Start(t.Context(), spec(t, "broken"))
	if err == nil || !strings.Contains(err.Error(), "exit status 3") || !strings.Contains(err.Error(), "no disk") {
		t.Fatalf("got %v", err)
	}
}

func TestStartGivesUpOnASilentProcess(t *testing.T) {
	s := spec(t, "silent")
	s.ReadyWithin = 200 * time.Millisecond
	if _, err := process.Start(t.Context(), s); err == nil || !strings.Contains(err.Error(), "not ready within") {
		t.Fatalf("got %v", err)
	}
}

func TestRun(t *testing.T) {
	if _, err := process.Run(t.Context(), spec(t, "broken")); err == nil || !strings.Contains(err.Error(), "no disk") {
		t.Fatalf("got %v", err)
	}
}

func TestFreeAddrNeverRepeats(t *testing.T) {
	seen := map[string]bool{}
	for range 50 {
		addr, err := process.FreeAddr(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if seen[addr] {
			t.Fatalf("%s was given twice", addr)
		}
		seen[addr] = true
	}
}

func TestGivenBinariesMustBeThere(t *testing.T) {
	t.Setenv(process.BinVariable, t.TempDir())
	if _, err := process.Build(t.Context(), t.TempDir(), "edge"); err == nil {
		t.Fatal("an empty folder was taken for binaries")
	}
}

func TestABrokenBuildNeedsTheFileItBreaks(t *testing.T) {
	_, err := process.BuildBroken(t.Context(), t.TempDir(), map[string]string{"sync/journal/gone.go": "package journal\n"}, "edge")
	if err == nil || !strings.Contains(err.Error(), "gone.go") {
		t.Fatalf("got %v", err)
	}
}
