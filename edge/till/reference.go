package till

import (
	"context"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/wire"
)

// ReadReceipt is what the code of a receipt says of its sale.
type ReadReceipt struct {
	wire.Reference
	// Matched says that a terminal of this store signed it. Of any other it is what
	// somebody's paper says.
	Matched bool
	Found   *Found // the sale, when this terminal holds it
}

// ReadReceipt reads the code of a receipt that a terminal printed. It changes nothing.
func (t *Till) ReadReceipt(ctx context.Context, raw string) (ReadReceipt, error) {
	end, err := t.begin()
	if err != nil {
		return ReadReceipt{}, err
	}
	defer end()
	signed, err := wire.ReadReference(raw)
	if err != nil {
		return ReadReceipt{}, problem.Wrap(problem.CodeUnreadable, err, "")
	}
	out := ReadReceipt{Reference: signed.Reference}
	lane, known := t.catalogue.Load().lanes[signed.Terminal]
	own := signed.Terminal == t.cfg.Writer.ID && signed.By(t.cfg.Signer.Public.Key)
	if known && lane.Epoch == signed.Epoch && !own && !signed.By(lane.PublicKey) {
		return ReadReceipt{}, problem.New(problem.CodeForged, "the terminal it names did not sign the receipt")
	}
	out.Matched = own || known && signed.By(lane.PublicKey)
	if !out.Matched || signed.Terminal != t.cfg.Writer.ID {
		return out, nil
	}
	found, err := t.find(ctx, signed.Sale)
	if problem.CodeOf(err) == problem.SaleUnknown {
		return out, nil // pruned
	}
	if err == nil {
		out.Found = &found
	}
	return out, err
}
