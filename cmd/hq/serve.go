package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/tallystick/tallystick/server/api"
	"github.com/tallystick/tallystick/server/ledger"
)

type serveCommand struct {
	Listen      string        `help:"Address to serve on; port 0 takes a free one." default:":8080"`
	CodeLife    time.Duration `help:"How long an enrolment code works." default:"10m"`
	SessionLife time.Duration `help:"How long a sign-in lasts." default:"12h"`
	Retain      time.Duration `help:"How long terminals keep what HQ has acknowledged: the age of the oldest backup that may be restored." default:"168h"`
	Grace       time.Duration `help:"How long open requests may take to finish when stopping." default:"10s"`
}

// Run serves until it is told to stop.
func (c serveCommand) Run(ctx context.Context, s *surroundings) (err error) {
	log := slog.New(slog.NewJSONHandler(s.stderr, nil))
	var applier *ledger.Service
	o, err := openMigrated(ctx, s.cli, tuning{
		codeLife: c.CodeLife, sessionLife: c.SessionLife, retain: c.Retain, wake: func() { applier.Wake() },
	})
	if err != nil {
		return err
	}
	defer func() { err = o.close(err) }()
	applier = ledger.NewService(o.ledger, log)
	if err := o.programme.PublishKeys(ctx, o.keys); err != nil {
		return err
	}
	listener, err := listen(ctx, c.Listen)
	if err != nil {
		return err
	}
	server := api.New(api.Options{
		People: o.people, Answers: o.answers, Fleet: o.fleet, Programme: o.programme, Ledger: o.ledger, Found: o.db,
		Ingest: o.ingest, Feed: o.feed, Clock: o.clock, HQ: o.secrets.HQ, HQEpoch: o.secrets.Epoch,
		Keys: o.keys, Statement: o.statement, Version: version, Ping: o.db.Ping, Log: log,
	})
	// The line that programs wait for: requests are taken from here on.
	ready := map[string]any{"ready": true, "address": listener.Addr().String(), "hq": o.secrets.HQ}
	if err := json.NewEncoder(s.stdout).Encode(ready); err != nil {
		return errors.Join(fmt.Errorf("say ready: %w", err), listener.Close())
	}
	applier.Start()
	defer applier.Stop()
	return c.until(ctx, o, server, listener, log)
}

// until serves and signs until ctx ends or one of both fails. Requests end before
// the signing, so that the last checkpoint covers what they did.
func (c serveCommand) until(ctx context.Context, o *office, server *api.Server, listener net.Listener, log *slog.Logger) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signing, stopSigning := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSigning()
	var signer, serving sync.WaitGroup
	var signed, served error
	signer.Go(func() {
		defer stop()
		signed = o.keepSigning(signing, log)
	})
	serving.Go(func() {
		defer stop()
		served = server.Serve(listener)
	})
	<-ctx.Done()
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	defer cancel()
	halted := server.Shutdown(within)
	serving.Wait()
	stopSigning()
	signer.Wait()
	return errors.Join(served, halted, signed)
}

// listen opens the port and says in words why it cannot.
func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listen on %s: another program uses this port; choose another with --listen", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listen on %s: this user may not use this port; choose one above 1023 with --listen", address)
	case err != nil:
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}
