package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/proxy"
)

// Stage is an HQ, a network that can be cut, and stores with lanes.
type Stage struct {
	Dir    string
	Bin    process.Binaries
	Log    io.Writer
	HQ     *HQ
	Office *hqclient.Client // signed in as administrator
	WAN    *proxy.Proxy     // between all lanes and HQ
	Lanes  []*Lane
}

// New initialises and starts an HQ in dir, with env added to its environment, and a
// network in front of it. On an error nothing is left running. log may be nil.
func New(ctx context.Context, bin process.Binaries, dir string, log io.Writer, env ...string) (*Stage, error) {
	s := &Stage{Dir: dir, Bin: bin, Log: log}
	if err := s.open(ctx, env); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

func (s *Stage) open(ctx context.Context, env []string) (err error) {
	if s.HQ, err = NewHQ(ctx, s.Bin, s.Dir, s.Log, env...); err != nil {
		return err
	}
	if err = s.HQ.Start(ctx); err != nil {
		return err
	}
	if s.Office, err = s.HQ.SignIn(ctx); err != nil {
		return err
	}
	wan, err := process.FreeAddr(ctx)
	if err != nil {
		return err
	}
	s.WAN, err = proxy.Start(ctx, wan, s.HQ.Addr)
	return err
}

// AddStore opens a store with lanes of the given names, enrolled, running and known to
// each other.
func (s *Stage) AddStore(ctx context.Context, store hqclient.Store, lanes ...string) (hqclient.Store, []*Lane, error) {
	opened, err := s.Office.CreateStore(ctx, store)
	if err != nil {
		return opened, nil, err
	}
	var added []*Lane
	var addresses []string
	for _, name := range lanes {
		lane, err := s.enrolLane(ctx, opened, name, filepath.Join(s.Dir, opened.Code+"-"+name))
		if err != nil {
			return opened, nil, err
		}
		address, err := process.FreeAddr(ctx)
		if err != nil {
			return opened, nil, err
		}
		added, addresses = append(added, lane), append(addresses, address)
	}
	for i, lane := range added {
		if len(added) > 1 {
			lane.Join(addresses[i], slices.Delete(slices.Clone(addresses), i, i+1)...)
		}
		if err := errors.Join(lane.Start(ctx), lane.AwaitOnline(ctx)); err != nil {
			return opened, nil, err
		}
	}
	return opened, added, nil
}

// AddLane enrols and starts one lane with its data in the directory data.
func (s *Stage) AddLane(ctx context.Context, store hqclient.Store, name, data string) (*Lane, error) {
	lane, err := s.enrolLane(ctx, store, name, data)
	if err != nil {
		return nil, err
	}
	if err := lane.Start(ctx); err != nil {
		return nil, err
	}
	return lane, lane.AwaitOnline(ctx)
}

func (s *Stage) enrolLane(ctx context.Context, store hqclient.Store, name, data string) (*Lane, error) {
	_, code, err := s.Office.CreateTerminal(ctx, store.ID, name)
	if err != nil {
		return nil, err
	}
	lane, err := Enrol(ctx, s.Bin, store.Code+"-"+name, data, s.WAN.URL(), code, s.Log)
	if err != nil {
		return nil, err
	}
	s.Lanes = append(s.Lanes, lane)
	return lane, nil
}

// AwaitSettled waits until every running lane has delivered its journal and HQ has
// applied all of it.
func (s *Stage) AwaitSettled(ctx context.Context) error {
	for _, l := range s.Lanes {
		if l.Process() == nil {
			continue
		}
		if err := l.AwaitDrained(ctx); err != nil {
			return err
		}
	}
	return s.AwaitApplied(ctx)
}

// AwaitApplied waits until HQ has applied every entry it holds.
func (s *Stage) AwaitApplied(ctx context.Context) error {
	return Until(ctx, "HQ has applied every entry", func() (bool, error) {
		status, err := s.Office.Status(ctx)
		return err == nil && status.Unapplied == 0, err
	})
}

// Close stops everything: lanes first, then the network, then HQ.
func (s *Stage) Close(ctx context.Context) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, l := range s.Lanes {
		if err := l.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("lane %s: %w", l.Name, err))
		}
	}
	if s.WAN != nil {
		errs = append(errs, s.WAN.Close())
	}
	if s.HQ != nil {
		errs = append(errs, s.HQ.Stop(ctx))
	}
	return errors.Join(errs...)
}
