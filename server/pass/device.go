package pass

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/internal/problem"
)

// Limits of what phones send.
const (
	// MaxDevice bounds what a phone calls itself, in bytes.
	MaxDevice = 256
	// MaxPushToken bounds a push token. Apple sets no length.
	MaxPushToken = 4096
	// mostPhones is on how many phones a pass is told of; with one more, the one that was
	// added first is forgotten. A phone that is set up again and again calls itself
	// something else each time.
	mostPhones = 50
	// mostListed bounds one list of changed passes.
	mostListed = 500
)

// Caller is who asks as a phone: the pass type and serial of the address, and the token
// of the Authorization header.
type Caller struct {
	PassType string
	Serial   string
	Token    string
}

// authorise returns the pass that a phone may ask for. What is unknown, of another type
// or asked for with a wrong token is answered alike.
func (s *Service) authorise(ctx context.Context, c Caller) (Pass, error) {
	refused := problem.New(problem.Unauthenticated, "there is no such pass for this token")
	k, ok := ParseSerial(c.Serial)
	want := token(s.o.Secret, k)
	if subtle.ConstantTimeCompare([]byte(want), []byte(c.Token)) != 1 || !ok || s.o.Apple == nil || c.PassType != s.o.Apple.PassType() {
		return Pass{}, refused
	}
	p, err := s.byKey(ctx, k)
	switch {
	case problem.CodeOf(err) == problem.NotFound || err == nil && p.Channel != Apple:
		return Pass{}, refused
	case err != nil:
		return Pass{}, err
	}
	return p, nil
}

func deviceOf(name string) ([32]byte, error) {
	if name == "" || len(name) > MaxDevice {
		return [32]byte{}, problem.Newf(problem.InvalidField, "the device id must have 1 to %d bytes", MaxDevice)
	}
	return sha256.Sum256([]byte("tallystick device v1\x00" + name)), nil
}

func checkPushToken(text string) error {
	if text == "" || len(text) > MaxPushToken || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return &problem.Error{
			Code: problem.InvalidField, Detail: "the push token cannot be kept",
			Fields: map[string]string{"/pushToken": fmt.Sprintf("must have 1 to %d printable characters", MaxPushToken)},
		}
	}
	return nil
}

// Register notes that a phone has a pass. New is false when it was noted before; a
// changed push token is kept all the same, for all passes of the phone.
//
// A pass may have changed between the phone's download and now, when nobody could tell
// it. So when the pass has changed at all since it was first looked at, a new
// registration takes a position of its own, after which the pass is listed once, and the
// phone is told at once.
func (s *Service) Register(ctx context.Context, c Caller, device, pushToken string) (isNew bool, err error) {
	p, err := s.authorise(ctx, c)
	if err != nil {
		return false, err
	}
	phone, err := deviceOf(device)
	if err != nil {
		return false, err
	}
	if err := checkPushToken(pushToken); err != nil {
		return false, err
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		var err error
		isNew, err = s.register(ctx, p.Key, phone, pushToken)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("register phone: %w", err)
	}
	return isNew, nil
}

func (s *Service) register(ctx context.Context, k Key, phone [32]byte, pushToken string) (isNew bool, err error) {
	on, err := s.o.Store.Registrations(ctx, []Key{k})
	if err != nil {
		return false, err
	}
	r := Registration{Key: k, Device: phone, PushToken: pushToken, At: s.now()}
	if i := slices.IndexFunc(on, func(r Registration) bool { return r.Device == phone }); i >= 0 {
		if on[i].PushToken == pushToken {
			return false, nil
		}
		return false, s.o.Store.RenewToken(ctx, phone, pushToken)
	}
	head, err := s.o.Store.AdvanceTags(ctx, 1)
	if err != nil {
		return false, err
	}
	current, err := s.o.Store.Passes(ctx, []Key{k})
	if err != nil || len(current) == 0 {
		return false, err
	}
	p := current[0]
	changed := !p.CauseAt.IsZero()
	if changed {
		r.Tag = head
	}
	if err := s.forgetOldest(ctx, k); err != nil {
		return false, err
	}
	if err := s.o.Store.RenewToken(ctx, phone, pushToken); err != nil {
		return false, err
	}
	if err := s.o.Store.PutRegistration(ctx, r); err != nil {
		return false, err
	}
	if changed {
		if err := s.o.Store.WantPushes(ctx, []Push{s.toPhone(r, r.Tag, s.o.Settings.UrgentGap)}); err != nil {
			return false, err
		}
	}
	s.marks.add(k, Marks{InstalledAt: s.now()})
	if p.State != Issued {
		return true, nil
	}
	p.State = Installed
	return true, s.o.Store.SavePasses(ctx, []Pass{p})
}

// forgetOldest makes room for one more phone, under the lock of the counter.
func (s *Service) forgetOldest(ctx context.Context, k Key) error {
	on, err := s.o.Store.Registrations(ctx, []Key{k})
	if err != nil || len(on) < mostPhones {
		return err
	}
	slices.SortFunc(on, func(a, b Registration) int { return a.At.Compare(b.At) })
	var old [][32]byte
	for _, r := range on[:len(on)-mostPhones+1] {
		old = append(old, r.Device)
	}
	if err := s.o.Store.DropRegistrations(ctx, k, old); err != nil {
		return err
	}
	return s.o.Store.ForgetPhones(ctx, old)
}

// Unregister notes that a phone has a pass no more. Doing it twice is doing it once.
func (s *Service) Unregister(ctx context.Context, c Caller, device string) error {
	p, err := s.authorise(ctx, c)
	if err != nil {
		return err
	}
	phone, err := deviceOf(device)
	if err != nil {
		return err
	}
	err = s.o.Store.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.o.Store.AdvanceTags(ctx, 0); err != nil {
			return fmt.Errorf("lock tags: %w", err)
		}
		phones := [][32]byte{phone}
		if err := s.o.Store.DropRegistrations(ctx, p.Key, phones); err != nil {
			return err
		}
		return s.removed(ctx, []Key{p.Key}, phones)
	})
	if err != nil {
		return fmt.Errorf("unregister phone: %w", err)
	}
	return nil
}

// UpdatedSince lists the serials of a phone's passes that changed after a tag, and the
// tag to come back with; no serials when nothing did. The device id is the secret of
// this question: who does not know it learns nothing. A tag that this HQ never said is
// taken for none.
func (s *Service) UpdatedSince(ctx context.Context, passType, device, tag string) (serials []string, last string, err error) {
	phone, err := deviceOf(device)
	if err != nil {
		return nil, "", err
	}
	if s.o.Apple == nil || passType != s.o.Apple.PassType() {
		return nil, "", nil
	}
	var after uint64
	if tag != "" {
		head, err := s.o.Store.TagHead(ctx)
		if err != nil {
			return nil, "", fmt.Errorf("read tags: %w", err)
		}
		after = readTag(s.o.HQEpoch, tag, head)
	}
	changed, err := s.o.Store.ChangedOn(ctx, phone, after, mostListed)
	if err != nil {
		return nil, "", fmt.Errorf("list changed passes: %w", err)
	}
	if len(changed) == 0 {
		return nil, "", nil
	}
	now := s.now()
	for _, c := range changed {
		serials = append(serials, c.Serial())
		after = max(after, c.Tag)
		s.marks.add(c.Key, Marks{ListedAt: now})
	}
	return serials, tagText(s.o.HQEpoch, after), nil
}
