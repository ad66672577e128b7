package ingest

import (
	"context"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/hqjournal"
	"github.com/tallystick/tallystick/server/shard"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/wire"
)

// Senders knows who may deliver a file.
type Senders interface {
	// Deliverer finds the terminal as it was in an epoch, or problem.NotEnrolled.
	Deliverer(ctx context.Context, terminal uuid.UUID, epoch uint32) (Terminal, error)
	// Adopt takes in a terminal or epoch that HQ has lost, if it has enrolled it once:
	// enrolment is a sealed wire.Enrolled. What HQ knows already changes nothing.
	Adopt(ctx context.Context, enrolment []byte) error
}

// Imported counts what an import took in. New are the entries HQ did not have.
// Warning says what nobody can tell of the file; it is empty for a file that proves
// to be whole.
type Imported struct {
	Batches, Entries, New int
	Warning               string
}

// Import takes a journal export in through the same path as Push, and records each
// batch that brought something new as a fact of HQ. It stops at the first batch
// that Push refuses; what came before is in, and importing the file again is safe.
// A file that does not prove to be whole gives problem.ExportIncomplete, after what
// it holds has been taken in.
func (s *Service) Import(ctx context.Context, file io.Reader, senders Senders, by uuid.UUID, now time.Time) (Imported, error) {
	var done Imported
	trailer, err := wire.ReadExport(file, func(r wire.ExportRecord) error {
		if r.Batch == nil {
			return senders.Adopt(ctx, r.Enrolment)
		}
		return s.importBatch(ctx, *r.Batch, senders, by, now, &done)
	})
	if err != nil {
		return done, err
	}
	if trailer == nil {
		done.Warning = "the file is of an older release and does not say where it ends: it may have been cut short"
		return done, nil
	}
	t, err := senders.Deliverer(ctx, trailer.Terminal, trailer.Epoch)
	if err != nil {
		return done, err
	}
	return done, trailer.Verify(t.PublicKey)
}

func (s *Service) importBatch(ctx context.Context, b wire.Batch, senders Senders, by uuid.UUID, now time.Time, done *Imported) error {
	t, err := senders.Deliverer(ctx, b.Terminal, b.Epoch)
	if problem.CodeOf(err) == problem.NotEnrolled {
		return problem.Wrap(problem.NotEnrolled, err, "HQ does not know the terminal in this epoch, and the file has no enrolment that says so")
	}
	if err != nil {
		return err
	}
	added := 0
	// One transaction, so that the fact and the entries are in together.
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if _, added, err = s.push(ctx, t, b, now); err != nil || added == 0 {
			return err
		}
		return s.o.Journal.Append(ctx, hqjournal.Fact{
			Shard: shard.Of(b.Terminal), Kind: entry.KindHQImport,
			Body: entry.HQImport{Terminal: b.Terminal, Epoch: b.Epoch, First: b.First, Last: b.Last(), By: by},
		})
	})
	if err != nil {
		return err
	}
	done.Batches++
	done.Entries += len(b.Entries)
	done.New += added
	return nil
}
