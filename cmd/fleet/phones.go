package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/testkit/phones"
)

// shown is how many violations are printed; the others are counted.
const shown = 20

type phonesCommand struct {
	placeFlags
	Dir      string        `default:"build/phones" help:"Folder under which HQ and the log are kept."`
	Phones   int           `default:"10000" help:"How many phones; every tenth pass is on two of them."`
	Waves    int           `default:"2" help:"How often all passes change on Apple's bad day. In each, one push in ten fails, one phone in ten gets a new push token, one in ten is set up anew, and HQ is killed."`
	Trouble  int           `default:"2" help:"How often in a row a push may fail on such a day."`
	Patience time.Duration `default:"60s" help:"How long nothing may move before an update counts as lost."`
}

// Help is printed below the flags.
func (phonesCommand) Help() string {
	return `Plays phones that hold Apple passes of a real hq, with a double of Apple's push service.
Phones register, are pushed to, list what changed since their tag, fetch only what is newer,
and verify each pass: manifest, signature, chain, pass type, that it is their own and says
something new.

It checks two promises across a SIGKILL of HQ: no update is lost (in the end each phone shows
the balance that HQ was told to make), and nothing is needless (no pass is sent again that says
the same, and what no pass shows is pushed to nobody). The exit code is not 0 when one is broken.
No real phone and nothing of Apple takes part.`
}

// Run plays the story. Its error says what was broken.
func (c phonesCommand) Run(ctx context.Context) (err error) {
	if c.Phones < 22 || c.Waves < 0 || c.Trouble < 1 {
		return errors.New("--phones must be 22 or more, --trouble 1 or more, --waves not negative")
	}
	bin, err := c.binaries("hq")
	if err != nil {
		return err
	}
	dir, log, err := openRun(c.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	fmt.Printf("%d phones, an hq with its own authority, a double of Apple's push service; data and log in %s\n", c.Phones, dir)
	// What nobody waits for is told as soon as the rest, so that a needless push is seen.
	company, err := phones.Open(ctx, bin, dir, log, "--wallet-look-gap", "10s")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, company.Close(ctx)) }()
	fleet := company.Fleet(ctx)
	defer fleet.Close()
	began := time.Now()
	story := phones.Story{
		Phones: c.Phones, Waves: c.Waves, Trouble: c.Trouble, Patience: c.Patience,
		Tell: func(format string, args ...any) { fmt.Printf(format+"\n", args...) },
	}
	if err := story.Play(ctx, fleet, company); err != nil {
		return err
	}
	return verdict(company, fleet, time.Since(began))
}

// verdict prints the figures, and is an error when a promise was broken.
func verdict(company *phones.Company, fleet *phones.Fleet, took time.Duration) error {
	n, apple := fleet.Figures(), company.Double.Stats()
	fmt.Printf("%d phones in %.1f s: %d registrations, %d new push tokens, %d set up anew, %d deleted\n",
		n.Phones, took.Seconds(), n.Registrations, n.TokenChanges, n.Reinstalls, n.Deletions)
	fmt.Printf("push service: %d pushes over %d connections, %d arrived; answers %v\n", apple.Pushes, apple.Connections, apple.Delivered, apple.Answers)
	fmt.Printf("phones: %d lists (%d with nothing new), %d passes fetched and verified (%.1f MB), %d not modified, %d tries while HQ was away\n",
		n.Lists, n.Empty, n.Fetches, float64(n.Bytes)/1e6, n.Unchanged, n.Retries)
	broken := fleet.Violations()
	for i, v := range broken {
		if i == shown {
			fmt.Printf("... and %d more\n", len(broken)-shown)
			break
		}
		fmt.Println(v)
	}
	for _, complaint := range company.Double.Complaints() {
		broken = append(broken, phones.Violation{What: "push service: " + complaint})
	}
	if len(broken) > 0 {
		return fmt.Errorf("%d promises were broken, the first: %s", len(broken), broken[0])
	}
	fmt.Println("No update was lost and nothing was needless.")
	return nil
}
