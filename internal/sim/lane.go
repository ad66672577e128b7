package sim

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/edge/syncer"
	"github.com/tallystick/tallystick/edge/till"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// segmentSize is small, so that journals go through many segments.
const segmentSize = 8 << 10

// lane is one machine: a terminal, or a copy of one. What it was enrolled as stays
// until it enrols again.
type lane struct {
	w     *world
	name  string
	shop  int
	dice  *dice
	stray bool // a copy of another lane's data directory

	enrolment wire.Enrolment
	word      keepsake
	signer    keys.Signer
	fork      *fork // what became of the journal's identity; shared with copies

	disk  *disk
	cells *cells
	kept  *image // taken earlier, for a rollback

	skew  time.Duration // of the wall clock
	boot  time.Time     // true time
	heard time.Time     // HQ, last, since the start; true time

	// forkTold says that the till was told of another journal of its name, and took it in.
	forkTold bool

	up      bool
	died    bool // it did not stop in good order
	gone    bool // for good
	journal *journal.Journal
	till    *till.Till
	steps   *syncer.Steps
	link    link

	lanCut bool
	seen   map[journalName]wire.SignedHead // of other lanes

	acks  []ack
	tried []attempt // what the POS asked for, the last ones
	// enlisting is the key of a call to enrol a member that got no answer.
	enlisting string
}

// fork is one journal identity (terminal and epoch): whether anything was done that may
// make two branches of it.
type fork struct {
	writer journal.Writer
	forged bool // cloned, or rolled back
	copies int  // how often
	// spentOnRights is what machines of this name redeemed on rights: each copy may do
	// so again.
	spentOnRights int64
}

func (f *fork) forge() { f.forged, f.copies = true, f.copies+1 }

// journalName is a terminal's epoch.
type journalName struct {
	terminal uuid.UUID
	epoch    uint32
}

// ack is what the POS was told is durable.
type ack struct {
	at   journal.Head
	sale uuid.UUID // zero: not a sale
}

// keepsake is what a terminal keeps of HQ's word for an HQ that was restored from a
// backup (syncer.Keepsakes): that it enrolled the terminal, and how far HQ had come.
type keepsake struct{ enrolment, witness []byte }

func (k *keepsake) Enrolment() []byte { return k.enrolment }

func (k *keepsake) Witness() []byte { return k.witness }

func (k *keepsake) Keep(enrolment, witness []byte) {
	if len(enrolment) > 0 {
		k.enrolment = enrolment
	}
	if len(witness) > 0 {
		k.witness = witness
	}
}

// image is a copy of a data directory.
type image struct {
	disk  *disk
	cells *cells
	acks  []ack
}

// Now is the wall clock of the machine.
func (l *lane) Now() time.Time { return l.w.now.Add(l.skew) }

func (l *lane) monotonic() time.Duration { return l.w.now.Sub(l.boot) }

func (l *lane) newID() uuid.UUID { return l.dice.id(l.w.now) }

// enrol makes the lane a terminal of a new epoch on an empty disk.
func (l *lane) enrol(ctx context.Context, terminal uuid.UUID) error {
	seed := make([]byte, 32)
	_, _ = l.dice.Read(seed)
	signer, err := keys.NewSigner(keys.Public{}, seed)
	if err != nil {
		return err
	}
	hq := l.w.hq.any()
	code, err := hq.fleet.NewCode(ctx, terminal)
	if err != nil {
		return err
	}
	enrolment, err := hq.fleet.Enrol(ctx, wire.EnrolRequest{
		V: wire.Version, Code: code.Text, PublicKey: signer.Public.Key, Software: "sim",
		Signature: signer.Sign(wire.DomainEnrol, append([]byte(code.Text), signer.Public.Key...)),
	})
	if err != nil {
		return err
	}
	l.signer, l.enrolment, l.word = signer, enrolment, keepsake{enrolment: enrolment.Statement}
	l.fork = &fork{writer: journal.Writer{ID: enrolment.Terminal, Epoch: enrolment.Epoch}}
	l.disk, l.cells = newDisk(l.w.options.Broken == SyncOff), newCells()
	l.acks, l.tried, l.kept, l.enlisting, l.forkTold = nil, nil, nil, "", false
	l.w.epochs = append(l.w.epochs, l.fork)
	return nil
}

// start starts the agent on what is on the disk. An error of a machine that died
// meanwhile leaves the lane down; any other is a failure of the product.
func (l *lane) start(ctx context.Context) error {
	l.boot, l.heard = l.w.now, time.Time{}
	if err := l.open(ctx); err != nil {
		dead := l.disk.off
		l.die(false)
		if dead {
			return err
		}
		l.w.fail("lane %s does not start: %v", l.name, err)
		return err
	}
	l.up = true
	l.cells.opened()
	if l.died {
		l.died = false
		l.w.tally.Recoveries++
	}
	return l.hasAcked(ctx)
}

func (l *lane) open(ctx context.Context) error {
	var err error
	l.journal, err = journal.Open(ctx, "", l.fork.writer,
		journal.WithFS(l.disk), journal.WithSegmentSize(segmentSize), journal.WithoutBeside())
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	l.till, err = till.New(till.Config{
		Writer: l.fork.writer, Store: l.enrolment.Store, HQ: l.enrolment.HQ, Journal: l.journal, State: l.cells,
		Clock: l, Monotonic: l.monotonic, NewID: l.newID, Keys: l.enrolment.Keys, PublicKey: l.signer.Public.Key,
		Software: "sim", EnrolledAt: time.UnixMilli(l.enrolment.HQTime), Signer: l.signer,
		Mutant: mutants[l.w.options.Broken],
	})
	if err != nil {
		return err
	}
	if _, err := l.till.Recover(ctx); err != nil {
		return err
	}
	service := syncer.New(syncer.Config{
		Address: "http://hq", HQ: l.enrolment.HQ, Store: l.enrolment.Store, Software: "sim", Signer: l.signer,
		HTTP: &http.Client{Transport: &l.link}, Clock: l, Random: l.dice, Journal: l.journal, Till: l.till,
		Log: slog.New(slog.DiscardHandler), EnrolledAt: time.UnixMilli(l.enrolment.HQTime), Kept: &l.word,
		Timing: syncer.Timing{PollWait: time.Millisecond, Request: time.Hour},
	})
	l.steps = service.Steps()
	if l.w.options.Rights {
		l.till.Connect(till.Helpers{Lender: l, Authoriser: service, Neighbours: l})
	}
	return nil
}

// hasAcked checks that everything the POS was told of is in the journal (G3).
func (l *lane) hasAcked(ctx context.Context) error {
	for _, a := range l.acks {
		hash, err := l.journal.HashAt(ctx, a.at.Seq)
		if err != nil || hash != a.at.Hash {
			l.w.fail("G3: lane %s acknowledged entry %d and does not have it after a restart: %v", l.name, a.at.Seq, err)
			return nil
		}
	}
	return nil
}

// stop ends the agent in good order.
func (l *lane) stop() error {
	if !l.up {
		return nil
	}
	l.up = false
	if err := l.till.Close(); err != nil {
		return err
	}
	if err := l.journal.Close(); err != nil {
		return err
	}
	l.cells.opened()
	return nil
}

// die ends the machine as it stands: a killed process, or a power cut.
func (l *lane) die(power bool) {
	l.up, l.died = false, true
	dead := l.disk
	if power {
		l.disk = dead.afterCut(l.dice)
	} else {
		l.disk = dead.afterKill()
	}
	told, synced := l.cells.streams()
	// What the production code still says about its own end is of no interest: the
	// disk is off, and the store's fate is decided here.
	if l.till != nil {
		_ = l.till.Close()
	}
	if l.journal != nil {
		_ = l.journal.Close()
	}
	l.till, l.journal, l.steps = nil, nil, nil
	how := l.dice.IntN(2)
	if power {
		how = l.dice.IntN(3)
	}
	l.cells = l.cells.crashed(told, synced, how)
}

// take copies the data directory.
func (l *lane) take() *image {
	return &image{disk: l.disk.image(), cells: l.cells.image(), acks: append([]ack(nil), l.acks...)}
}

// copies returns a second machine that has this one's data directory.
func (l *lane) copies(name string) *lane {
	i := l.take()
	c := &lane{
		w: l.w, name: name, shop: l.shop, dice: newDice(l.dice.Uint64(), 1), stray: true, enrolment: l.enrolment, word: l.word,
		signer: l.signer, fork: l.fork, disk: i.disk, cells: i.cells, acks: i.acks, skew: l.skew,
	}
	c.link.lane = c
	l.fork.forge()
	return c
}

// blown reports whether the machine died in a call just made, and buries it.
func (l *lane) blown() bool {
	if !l.disk.off {
		return false
	}
	l.w.count(fmt.Sprintf("crash in a %s (%s)", l.disk.burnt, momentNames[l.disk.dies]))
	l.die(l.dice.chance(60))
	return true
}

var momentNames = [...]string{"before", "torn", "after"}

// entries reads the whole journal of a lane that is up.
func (l *lane) entries(ctx context.Context, fn func(seq uint64, hash journal.Hash, raw []byte)) error {
	for at := uint64(1); at <= l.journal.Head().Seq; {
		run, err := l.journal.Read(ctx, at, 256, 1<<20)
		if err != nil {
			return err
		}
		for i, raw := range run.Entries {
			fn(at+uint64(i), run.Hashes[i], bytes.Clone(raw))
		}
		at += uint64(len(run.Entries))
	}
	return nil
}
