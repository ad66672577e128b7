package googlewallet

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

// Put makes or changes the object of a pass, and its class if need be.
func (w *Wallet) Put(ctx context.Context, c pass.Card) pass.Result {
	if wait := w.gate.closed(w.now()); wait > 0 {
		return pass.Result{Outcome: pass.Later, After: wait, Reason: "Google is left alone for a while"}
	}
	err := w.put(ctx, c)
	kind := google.KindOf(err)
	switch {
	case err == nil:
		w.gate.open()
		return pass.Result{Outcome: pass.Done}
	case kind == google.Later || kind == google.Denied || kind == google.Unauthorized:
		return pass.Result{Outcome: pass.Later, After: w.gate.shut(w.now(), google.AfterOf(err)), Reason: err.Error()}
	case kind != "" || errors.Is(err, google.ErrFace):
		return pass.Result{Outcome: pass.Failed, Reason: err.Error()}
	}
	return pass.Result{Outcome: pass.Later, Reason: err.Error()} // ours: the database
}

// object is one pass on its way to Google.
type object struct {
	known    Object
	memory   memory
	resource google.Resource
	id       string
	fields   google.Fields
}

func (w *Wallet) put(ctx context.Context, c pass.Card) error {
	k, ok := pass.ParseSerial(c.Serial)
	if !ok {
		return fmt.Errorf("put object: %w: its serial cannot be read", google.ErrFace)
	}
	o := object{id: w.o.Issuer.ObjectID(c.Serial)}
	var err error
	if o.known, err = w.o.Store.GoogleObject(ctx, k); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	if o.memory, err = w.read(o.known.Memory); err != nil {
		return err
	}
	body, err := w.body(ctx, &o, c)
	if err != nil {
		return err
	}
	if body.ClassID == "" && len(o.memory.Sent) == 0 {
		return nil // voided before Google ever heard of it
	}
	if body.ClassID != "" && body.State == google.StateActive {
		if err := w.classOf(ctx, c, o.resource); err != nil {
			return err
		}
	}
	if o.fields, err = google.FieldsOf(body); err != nil {
		return err
	}
	isNew, err := w.send(ctx, &o, c.Face)
	if err != nil {
		return err
	}
	o.known.Active, o.known.AgainAt = body.State == google.StateActive, google.NextChange(c.Face, w.now())
	if err := w.tell(ctx, &o, c.Face, isNew); err != nil {
		return errors.Join(err, w.keep(ctx, &o))
	}
	if err := w.keep(ctx, &o); err != nil {
		return err
	}
	if isNew && c.Face.Kind == face.KindVoucher {
		return w.link(ctx, k)
	}
	return nil
}

// body makes the object; vouchers that Google has are linked with a member's card.
func (w *Wallet) body(ctx context.Context, o *object, c pass.Card) (google.Object, error) {
	if c.Face.Kind == face.KindVoucher {
		o.resource = google.OfferObjects
		return w.o.Issuer.Offer(c.Serial, c.Face, w.now())
	}
	o.resource = google.LoyaltyObjects
	var offers []string
	if !c.Face.Voided {
		keys, err := w.o.Store.GoogleOffers(ctx, c.Face.Subject)
		if err != nil {
			return google.Object{}, fmt.Errorf("read offers: %w", err)
		}
		for _, k := range keys {
			offers = append(offers, k.Serial())
		}
	}
	return w.o.Issuer.Card(c.Serial, c.Face, c.Brand, offers, w.now())
}

// send inserts the object, or patches what changed. What Google has and we forgot, or
// the other way round, is put right.
func (w *Wallet) send(ctx context.Context, o *object, f face.Face) (isNew bool, err error) {
	if len(o.memory.Sent) > 0 {
		patch := o.fields.Since(o.memory.Sent)
		if len(patch) == 0 {
			return false, nil
		}
		now := w.now()
		if patch.Telling() && !f.Voided && len(o.memory.news(f, now)) == 0 && o.memory.mayNotify(now) {
			if patch, err = patch.Notifying(); err != nil {
				return false, err
			}
			o.memory.notified(now)
		}
		err = w.o.Client.Patch(ctx, o.resource, o.id, patch)
		if google.KindOf(err) != google.Missing {
			o.sent(err)
			return false, err
		}
	}
	err = w.insert(ctx, o.resource, o.id, o.fields)
	o.sent(err)
	return true, err
}

// insert sends a whole class or object that Google may have after all.
func (w *Wallet) insert(ctx context.Context, r google.Resource, id string, fields google.Fields) error {
	err := w.o.Client.Insert(ctx, r, fields)
	if google.KindOf(err) == google.Exists {
		return w.o.Client.Patch(ctx, r, id, fields)
	}
	return err
}

// sent remembers what Google has now. A voided voucher's body has no class, and Google
// still does.
func (o *object) sent(err error) {
	if err != nil {
		return
	}
	class, had := o.memory.Sent["classId"]
	o.memory.Sent = o.fields.Sent()
	if _, has := o.memory.Sent["classId"]; had && !has {
		o.memory.Sent["classId"] = class
	}
}

// tell tells the shopper of what is new on the card. What was on it when it was made is
// no news.
func (w *Wallet) tell(ctx context.Context, o *object, f face.Face, isNew bool) error {
	now := w.now()
	for _, news := range o.memory.news(f, now) {
		if !isNew {
			notify := o.memory.mayNotify(now)
			if err := w.o.Client.AddMessage(ctx, o.resource, o.id, news.Message(f.Locale, notify)); err != nil {
				return fmt.Errorf("tell of %s: %w", news.ID, err)
			}
			if notify {
				o.memory.notified(now)
			}
		}
		o.memory.told(news.ID)
	}
	return nil
}

// keep writes what is known. When another process sent the same pass meanwhile nobody
// knows whose was the last, so the next change sends it whole, and soon.
func (w *Wallet) keep(ctx context.Context, o *object) error {
	var err error
	if o.known.Memory, err = o.memory.bytes(); err != nil {
		return err
	}
	o.known.Version++
	err = w.o.Store.PutGoogleObject(ctx, o.known)
	if problem.CodeOf(err) != problem.Conflict {
		return wrap("keep object", err)
	}
	if o.known, err = w.o.Store.GoogleObject(ctx, o.known.Key); err != nil {
		return fmt.Errorf("read object: %w", err)
	}
	theirs, err := w.read(o.known.Memory)
	if err != nil {
		return err
	}
	o.memory.doubt(theirs.Sent)
	if o.known.Memory, err = o.memory.bytes(); err != nil {
		return err
	}
	o.known.Version++
	o.known.AgainAt = w.now()
	return wrap("keep object", w.o.Store.PutGoogleObject(ctx, o.known))
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// link has the card of a voucher's member made again, now that Google has the voucher.
func (w *Wallet) link(ctx context.Context, voucher pass.Key) error {
	card, err := w.o.Store.GoogleCard(ctx, voucher)
	if problem.CodeOf(err) == problem.NotFound {
		return nil // it will be linked when it is made
	}
	if err != nil {
		return fmt.Errorf("find card: %w", err)
	}
	return wrap("link voucher", w.passes.Again(ctx, []pass.Key{card}))
}

// classOf makes or changes the class of a pass, unless Google has it so.
func (w *Wallet) classOf(ctx context.Context, c pass.Card, r google.Resource) error {
	var class any
	id, resource := w.o.Issuer.CardClassID(), google.LoyaltyClasses
	if r == google.OfferObjects {
		id, resource = w.o.Issuer.OfferClassID(*c.Face.Voucher), google.OfferClasses
		class = w.o.Issuer.OfferClass(c.Brand, *c.Face.Voucher)
	} else {
		class = w.o.Issuer.CardClass(c.Brand)
	}
	fields, err := google.FieldsOf(class)
	if err != nil {
		return err
	}
	w.oneClass.Lock()
	defer w.oneClass.Unlock()
	sent, err := w.classSent(ctx, id)
	if err != nil {
		return err
	}
	patch := fields.Since(sent)
	if len(sent) > 0 && len(patch) == 0 {
		return nil
	}
	if err := w.sendClass(ctx, resource, id, fields, patch, len(sent) > 0); err != nil {
		return err
	}
	raw, err := memory{Epoch: w.o.HQEpoch, Sent: fields.Sent()}.bytes()
	if err != nil {
		return err
	}
	if err := w.o.Store.PutGoogleClass(ctx, id, raw); err != nil {
		return fmt.Errorf("keep class: %w", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.classes[id] = fields.Sent()
	return nil
}

// sendClass patches a class that Google has, saying each time that it may be reviewed,
// as Google asks; or inserts it.
func (w *Wallet) sendClass(ctx context.Context, r google.Resource, id string, fields, patch google.Fields, known bool) error {
	if known {
		patch["reviewStatus"] = fields["reviewStatus"]
		err := w.o.Client.Patch(ctx, r, id, patch)
		if google.KindOf(err) != google.Missing {
			return err
		}
	}
	return w.insert(ctx, r, id, fields)
}

// classSent is what Google has of a class; empty for none.
func (w *Wallet) classSent(ctx context.Context, id string) (google.Sent, error) {
	w.mu.Lock()
	sent, known := w.classes[id]
	w.mu.Unlock()
	if known {
		return sent, nil
	}
	raw, err := w.o.Store.GoogleClass(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read class: %w", err)
	}
	m, err := w.read(raw)
	return m.Sent, err
}

// read reads what is remembered. What an earlier epoch of HQ remembers is in doubt: HQ
// was restored, and Google was told more since than HQ knows.
func (w *Wallet) read(raw []byte) (memory, error) {
	m, err := readMemory(raw)
	if m.Epoch != w.o.HQEpoch {
		m.Epoch = w.o.HQEpoch
		m.doubt(nil)
	}
	return m, err
}

func nonceDigest(nonce string) [32]byte {
	return sha256.Sum256([]byte("tallystick google nonce v1\x00" + nonce))
}
