package syncer

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// Enrol turns a one-time code into a terminal. The signer is the terminal's new
// key; only its public half and a proof of possession are sent. Sending the same
// code with the same key again is how an answer that was lost is asked for again.
func Enrol(ctx context.Context, hc *http.Client, address, code, software string, signer keys.Signer) (wire.Enrolment, error) {
	public := signer.Public.Key
	raw, err := wire.Marshal(wire.EnrolRequest{
		V: wire.Version, Code: code, PublicKey: public, Software: software,
		Signature: signer.Sign(wire.DomainEnrol, append([]byte(code), public...)),
	})
	if err != nil {
		return wire.Enrolment{}, err
	}
	req, err := newRequest(ctx, http.MethodPost, strings.TrimRight(address, "/")+wire.PathEnrol, raw)
	if err != nil {
		return wire.Enrolment{}, err
	}
	got, err := send(plain(hc), req, func(http.Header) {})
	if err != nil {
		return wire.Enrolment{}, err
	}
	enrolment, err := wire.Unmarshal[wire.Enrolment](got)
	if err != nil {
		return wire.Enrolment{}, fmt.Errorf("read enrolment: %w", err)
	}
	switch {
	case enrolment.V < wire.MinVersion || enrolment.V > wire.Version:
		return wire.Enrolment{}, problem.Newf(problem.WireVersion, "HQ speaks version %d", enrolment.V)
	case enrolment.HQ == uuid.Nil || enrolment.Terminal == uuid.Nil || enrolment.Store == uuid.Nil || enrolment.Epoch == 0 || len(enrolment.Keys.Keys) == 0:
		return wire.Enrolment{}, problem.New(problem.BatchInvalid, "HQ's enrolment is incomplete")
	}
	return enrolment, nil
}
