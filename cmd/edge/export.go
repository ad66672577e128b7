package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

type exportCommand struct {
	Out string `required:"" help:"File to write; it must not exist." type:"path" placeholder:"FILE"`
	All bool   `help:"The whole journal, not only what HQ has not acknowledged."`

	Epoch uint32 `help:"The whole journal of an earlier enrolment of this terminal, for an HQ that was restored from a backup." placeholder:"N"`
}

// exportReport is what the command prints.
type exportReport struct {
	Out      string       `json:"out"`
	Terminal string       `json:"terminal"`
	Epoch    uint32       `json:"epoch"`
	First    uint64       `json:"first"`
	Last     uint64       `json:"last"`
	Entries  uint64       `json:"entries"`
	Batches  int          `json:"batches"`
	Head     journal.Head `json:"head"`
	// Damage says what the file does not hold; empty when the journal is whole.
	Damage string `json:"damage,omitempty"`
}

// Run writes the export. It changes nothing but the output and a note of how far it
// reaches, and works while the agent runs and on a disk moved to another machine. A
// damaged journal is written up to the damage, and the command fails after that.
func (c exportCommand) Run(ctx context.Context, p *program, io std) error {
	report, err := export(ctx, p.Data, c.Out, c.Epoch, c.All)
	if err != nil {
		return err
	}
	if err := printJSON(io.out, report); err != nil {
		return err
	}
	if report.Damage != "" {
		return problem.Newf(problem.JournalDamaged, "entries up to %d were written and are proven; after that: %s", report.Last, report.Damage)
	}
	return nil
}

func export(ctx context.Context, data, out string, epoch uint32, all bool) (exportReport, error) {
	present, err := readIdentity(data)
	if err != nil {
		return exportReport{}, err
	}
	id, err := epochOf(data, present, epoch)
	if err != nil {
		return exportReport{}, err
	}
	signer, err := readSigner(filepath.Join(data, id.KeyFile))
	if err != nil {
		return exportReport{}, err
	}
	enrolment, err := readEnrolment(data, id)
	if err != nil {
		return exportReport{}, err
	}
	j, err := journal.OpenReadOnly(ctx, filepath.Join(data, id.JournalDir))
	if err != nil {
		return exportReport{}, err
	}
	if j.Writer() != id.writer() {
		return exportReport{}, fmt.Errorf("the journal is of %s, the identity of %s", j.Writer(), id.writer())
	}
	from := j.First()
	if acked := readProgress(data, id).Acked; !all && id.Epoch == present.Epoch {
		from = max(from, acked.Seq+1)
	}
	report := exportReport{Out: out, Terminal: id.Terminal.String(), Epoch: id.Epoch, First: from, Head: j.Head()}
	if damage := j.Damage(); damage != nil {
		report.Damage = damage.Error()
	}
	if err := writeExport(ctx, j, signer, enrolment, out, &report); err != nil {
		return exportReport{}, err
	}
	if id.Epoch != present.Epoch {
		return report, nil
	}
	return report, noteExported(data, id, j.Head())
}

// writeExport writes the file whole or not at all.
func writeExport(ctx context.Context, j *journal.Reader, signer keys.Signer, enrolment []byte, out string, report *exportReport) (err error) {
	if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write export: %s exists already", out)
	}
	tmp, err := os.CreateTemp(filepath.Dir(out), ".export-*")
	if err != nil {
		return fmt.Errorf("write export: %w", err)
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name()) // the error to report is the one above
			err = fmt.Errorf("write export: %w", err)
		}
	}()
	x, err := wire.NewExport(tmp, j.Writer().ID, j.Writer().Epoch, enrolment)
	if err != nil {
		return err
	}
	for from := report.First; from <= j.Head().Seq; {
		run, err := j.Read(ctx, from, wire.MaxBatchEntries, wire.MaxBatchBytes)
		if err != nil {
			return err
		}
		if len(run.Entries) == 0 {
			break
		}
		if err := x.Batch(syncer.NewBatch(signer, j.Writer(), run)); err != nil {
			return err
		}
		report.Batches++
		report.Entries += uint64(len(run.Entries))
		report.Last = run.Last().Seq
		from = report.Last + 1
	}
	if err := x.End(signer); err != nil {
		return err
	}
	return publish(tmp, out)
}

// epochOf is the identity of an epoch of the terminal; zero is the present one.
func epochOf(data string, present identity, epoch uint32) (identity, error) {
	if epoch == 0 || epoch == present.Epoch {
		return present, nil
	}
	past, err := pastIdentities(data, present)
	if err != nil {
		return identity{}, err
	}
	for _, id := range past {
		if id.Epoch == epoch {
			return id, nil
		}
	}
	return identity{}, problem.Newf(problem.NotFound, "%s has no journal and key of epoch %d of this terminal", data, epoch)
}

// noteExported lets a new enrolment know that nothing is lost with this journal. A
// disk that is mounted read-only has no room for the note and needs none.
func noteExported(data string, id identity, head journal.Head) error {
	raw, err := json.Marshal(exported{Terminal: id.Terminal, Epoch: id.Epoch, Head: head})
	if err != nil {
		return fmt.Errorf("encode export note: %w", err)
	}
	err = writeAtomically(filepath.Join(data, exportedFile), append(raw, '\n'))
	if readOnlyDisk(err) {
		return nil
	}
	return err
}

// checkDelivered makes sure that HQ has, or a file holds, all of an old journal.
func checkDelivered(ctx context.Context, data string, id identity) error {
	if err := checkStopped(ctx, data, id); err != nil {
		return err
	}
	j, err := journal.OpenReadOnly(ctx, filepath.Join(data, id.JournalDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there is nothing left to deliver
	}
	if err != nil {
		return err
	}
	head := j.Head()
	if readProgress(data, id).Acked == head {
		return nil
	}
	var note exported
	raw, err := os.ReadFile(filepath.Join(data, exportedFile))
	if err == nil && json.Unmarshal(raw, &note) == nil && note == (exported{Terminal: id.Terminal, Epoch: id.Epoch, Head: head}) {
		return nil
	}
	return problem.New(problem.StateConflict, "the old journal holds entries HQ has not acknowledged; sync it (edge run) or save it first (edge export)")
}

// checkStopped makes sure that no agent is still adding to the journal. Whatever
// else is wrong with the journal is not its business.
func checkStopped(ctx context.Context, data string, id identity) error {
	j, err := journal.Open(ctx, filepath.Join(data, id.JournalDir), id.writer())
	if errors.Is(err, journal.ErrLocked) {
		return problem.Wrap(problem.StateConflict, err, "an agent runs on this data directory; stop it first")
	}
	if err != nil {
		return nil //nolint:nilerr // a damaged journal may be given up once it was exported
	}
	return j.Close()
}
