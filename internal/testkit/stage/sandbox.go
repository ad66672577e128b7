package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/edgeclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
)

// Sandbox is an agent that serves fixed codes and knows no HQ.
type Sandbox struct {
	*edgeclient.Client
	Currency string
	Voucher  uuid.UUID // the good member's
	codes    map[string]string
	proc     *process.Process
}

// StartSandbox starts `edge run --sandbox` on a free port. Its data lies in the
// system's temporary folder and goes with it. log may be nil.
func StartSandbox(ctx context.Context, bin process.Binaries, log io.Writer) (*Sandbox, error) {
	proc, err := process.Start(ctx, process.Spec{
		Name: "edge sandbox", Path: bin.Path("edge"), Args: edgeSandbox(), Log: log, Ready: ready,
	})
	if err != nil {
		return nil, err
	}
	s := &Sandbox{codes: map[string]string{}, proc: proc}
	if err := s.read(proc.ReadyLine()); err != nil {
		_ = s.Stop() // the error to report is the one above
		return nil, err
	}
	return s, nil
}

// read takes address, token and codes from the ready line.
func (s *Sandbox) read(line []byte) error {
	var said struct {
		Address string `json:"address"`
		Data    string `json:"data"`
		Codes   struct {
			Currency string    `json:"currency"`
			Voucher  uuid.UUID `json:"voucher"`
			Codes    []struct {
				Name string `json:"name"`
				Code string `json:"code"`
			} `json:"codes"`
		} `json:"codes"`
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return fmt.Errorf("read sandbox's ready line: %w", err)
	}
	token, err := edgeclient.ReadToken(said.Data)
	if err != nil {
		return err
	}
	s.Client = edgeclient.New(said.Address, token)
	s.Currency, s.Voucher = said.Codes.Currency, said.Codes.Voucher
	for _, c := range said.Codes.Codes {
		s.codes[c.Name] = c.Code
	}
	return nil
}

// Code returns the text of one of the fixed codes; empty for an unknown name.
func (s *Sandbox) Code(name string) string { return s.codes[name] }

// PID returns the agent's process id.
func (s *Sandbox) PID() int { return s.proc.PID() }

// Stop ends the agent in good order.
func (s *Sandbox) Stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return s.proc.Stop(ctx)
}
