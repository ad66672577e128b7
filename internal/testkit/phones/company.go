package phones

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/testkit/apnsdouble"
	"github.com/tallystick/tallystick/internal/testkit/hqclient"
	"github.com/tallystick/tallystick/internal/testkit/process"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/wallet/apple"
)

// What the company's passes are called.
const (
	PassType = "pass.org.example.phones"
	Team     = "PHONES1234"
)

const (
	// opening and step are the points a member begins with and gets by a change.
	opening, step = 100, 10
	// membersAtOnce and rowsAtOnce are what HQ takes in one call.
	membersAtOnce, rowsAtOnce = 1000, 10000
	// installers is how many passes are downloaded at the same time.
	installers = 8
)

// Company is a real hq with a double of Apple's push service: the [Office] of a story.
type Company struct {
	HQ        *stage.HQ
	Double    *apnsdouble.Double
	Authority *apple.Authority
	office    *hqclient.Client

	mu      sync.Mutex
	members map[string]uuid.UUID // by serial
	want    map[string]int64
}

// Open makes an hq in dir, with an authority of its own, and starts it with these flags
// besides. log may be nil.
func Open(ctx context.Context, bin process.Binaries, dir string, log io.Writer, flags ...string) (*Company, error) {
	c := &Company{members: map[string]uuid.UUID{}, want: map[string]int64{}}
	if err := c.open(ctx, bin, dir, log, flags); err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return c, nil
}

func (c *Company) open(ctx context.Context, bin process.Binaries, dir string, log io.Writer, flags []string) (err error) {
	if c.Authority, err = apple.SelfMade(PassType, Team, time.Now(), rand.Reader); err != nil {
		return err
	}
	if c.Double, err = apnsdouble.Start(apnsdouble.Options{Topic: PassType, ClientCAs: c.Authority.Roots()}); err != nil {
		return err
	}
	credentials, err := c.Authority.PEM()
	if err != nil {
		return err
	}
	pass, trust := filepath.Join(dir, "pass.pem"), filepath.Join(dir, "apns.pem")
	for path, text := range map[string][]byte{pass: credentials, trust: c.Double.RootPEM} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			return fmt.Errorf("write credentials: %w", err)
		}
	}
	if c.HQ, err = stage.NewHQ(ctx, bin, dir, log); err != nil {
		return err
	}
	c.HQ.More = append([]string{
		"--apple-pass-type", PassType, "--apple-team", Team, "--apple-certificate", pass, "--apple-key", pass, "--apple-wwdr", pass,
		"--apple-apns-url", c.Double.URL, "--wallet-trust", trust, "--public-url", "https://hq.example",
	}, flags...)
	if err := c.HQ.Start(ctx); err != nil {
		return err
	}
	if c.office, err = c.HQ.SignIn(ctx); err != nil {
		return err
	}
	return c.office.PutRuleSet(ctx, hqclient.RuleSet{Currency: stage.Currency, Earn: []hqclient.EarnRule{{Unit: stage.Points, Points: 1, Per: 100}}})
}

// Close stops hq and the double.
func (c *Company) Close(ctx context.Context) error {
	var errs []error
	if c.HQ != nil {
		errs = append(errs, c.HQ.Stop(context.WithoutCancel(ctx)))
	}
	if c.Double != nil {
		errs = append(errs, c.Double.Close())
	}
	return errors.Join(errs...)
}

// Fleet makes phones for the company's passes.
func (c *Company) Fleet(ctx context.Context) *Fleet {
	return New(ctx, Options{
		Service: c.HQ.URL() + "/wallet/apple", PassType: PassType, Double: c.Double, Reader: NewReader(c.Authority.Roots()), Shows: Card,
	})
}

// Touch adds a reward that is not to be had: HQ looks at all passes, and none says anything new.
func (c *Company) Touch(ctx context.Context) error {
	_, err := c.office.CreateReward(ctx, hqclient.Reward{Name: "Next year's mug", Unit: stage.Points, Cost: 1, Discount: 100, Currency: stage.Currency})
	return err
}

// Issue enrols n members with points to begin with, and downloads a pass for each.
func (c *Company) Issue(ctx context.Context, n int, give func([]byte) error) error {
	for from := 0; from < n; from += rowsAtOnce {
		members, err := c.enrol(ctx, min(rowsAtOnce, n-from))
		if err != nil {
			return err
		}
		if err := c.issue(ctx, members, give); err != nil {
			return err
		}
	}
	return nil
}

func (c *Company) enrol(ctx context.Context, n int) ([]hqclient.Member, error) {
	var members []hqclient.Member
	for len(members) < n {
		batch, err := c.office.CreateMembers(ctx, make([]hqclient.MemberNew, min(membersAtOnce, n-len(members))))
		if err != nil {
			return nil, err
		}
		members = append(members, batch...)
	}
	rows := make([]hqclient.AdjustmentRow, len(members))
	for i, m := range members {
		rows[i] = hqclient.AdjustmentRow{Member: m.ID, Unit: stage.Points, Amount: opening}
	}
	list, err := c.office.AdjustAll(ctx, rows)
	if err != nil {
		return nil, err
	}
	return members, c.booked(ctx, list.ID)
}

// booked waits until HQ has booked a list, every row of it.
func (c *Company) booked(ctx context.Context, id uuid.UUID) error {
	return stage.UntilWithin(ctx, 5*time.Minute, "a list is booked", func() (bool, error) {
		l, err := c.office.AdjustmentList(ctx, id)
		if err == nil && l.Refused > 0 {
			err = fmt.Errorf("%d rows of a list are refused", l.Refused)
		}
		return l.State == "committed" && l.Done == l.Rows, err
	})
}

// issue downloads the passes of members, some at a time.
func (c *Company) issue(ctx context.Context, members []hqclient.Member, give func([]byte) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan hqclient.Member)
	var workers sync.WaitGroup
	for range installers {
		workers.Go(func() {
			for m := range todo {
				if err := c.download(ctx, m, give); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, m := range members {
		if ctx.Err() != nil {
			break
		}
		todo <- m
	}
	close(todo)
	workers.Wait()
	return context.Cause(ctx)
}

func (c *Company) download(ctx context.Context, m hqclient.Member, give func([]byte) error) error {
	raw, err := c.office.ApplePass(ctx, m.ID)
	if err != nil {
		return err
	}
	bundle, err := NewReader(c.Authority.Roots()).Read(raw)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.members[bundle.Serial], c.want[bundle.Serial] = m.ID, opening
	c.mu.Unlock()
	return give(raw)
}

// Change gives the members of these passes points, and returns once HQ has promised to.
func (c *Company) Change(ctx context.Context, serials []string) error {
	for some := range slices.Chunk(serials, rowsAtOnce) {
		rows := make([]hqclient.AdjustmentRow, len(some))
		c.mu.Lock()
		for i, serial := range some {
			rows[i] = hqclient.AdjustmentRow{Member: c.members[serial], Unit: stage.Points, Amount: step}
			c.want[serial] += step
		}
		c.mu.Unlock()
		if _, err := c.office.AdjustAll(ctx, rows); err != nil {
			return err
		}
	}
	return nil
}

// Want is the balance that HQ was told to make.
func (c *Company) Want(serial string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strconv.FormatInt(c.want[serial], 10)
}

// Restart kills hq and starts it again.
func (c *Company) Restart(ctx context.Context) (err error) {
	if err := c.HQ.Kill(); err != nil {
		return err
	}
	if err := c.HQ.Start(ctx); err != nil {
		return err
	}
	c.office, err = c.HQ.SignIn(ctx)
	return err
}
