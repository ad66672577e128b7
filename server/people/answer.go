package people

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/problem"
)

// Answer is what a write was answered.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// KeptAnswer is an answer as kept: the body sealed, because it may hold a secret
// that was to be shown once. ID is the hash of the person and the key; Request the
// keyed hash of the request.
type KeptAnswer struct {
	ID          [32]byte
	Request     [32]byte
	Status      int
	ContentType string
	Sealed      []byte
	At          time.Time
}

// AnswerStore keeps answers. A missing one is problem.NotFound, a second one of the
// same id problem.Conflict.
type AnswerStore interface {
	InTx(ctx context.Context, fn func(ctx context.Context) error) error
	Answer(ctx context.Context, id [32]byte) (KeptAnswer, error)
	AddAnswer(ctx context.Context, a KeptAnswer) error
}

// Answers makes a write happen once per idempotency key of a person. Answers are
// kept as long as the record they made. It is safe for concurrent use.
type Answers struct {
	store  AnswerStore
	clock  clock.Clock
	random io.Reader
	aead   cipher.AEAD
	mark   [32]byte
}

// NewAnswers returns Answers that seal with a secret of 32 bytes.
func NewAnswers(store AnswerStore, c clock.Clock, random io.Reader, secret []byte) (*Answers, error) {
	if len(secret) != 32 {
		return nil, fmt.Errorf("seal answers: secret has %d bytes, want 32", len(secret))
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, fmt.Errorf("seal answers: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("seal answers: %w", err)
	}
	mark := sha256.Sum256(append([]byte("tallystick answers v1\x00"), secret...))
	return &Answers{store: store, clock: c, random: random, aead: aead, mark: mark}, nil
}

// Once calls do in a transaction, unless this person's key was answered before:
// then it returns that answer, or problem.IdempotencyReused when the request was
// another. When do fails nothing is kept, and the key is free again. do may be
// called more than once, each time in a new transaction.
func (a *Answers) Once(ctx context.Context, person uuid.UUID, key string, request [32]byte, do func(ctx context.Context) (Answer, error)) (Answer, error) {
	id := sha256.Sum256(append(person[:], key...))
	request = a.marked(request)
	var out Answer
	attempt := func(ctx context.Context) error {
		kept, err := a.store.Answer(ctx, id)
		switch {
		case err == nil:
			out, err = a.again(kept, request)
			return err
		case problem.CodeOf(err) != problem.NotFound:
			return fmt.Errorf("find answer: %w", err)
		}
		if out, err = do(ctx); err != nil {
			return err
		}
		return a.keep(ctx, id, request, out)
	}
	err := a.store.InTx(ctx, attempt)
	if errors.Is(err, errAnsweredMeanwhile) {
		err = a.store.InTx(ctx, attempt)
	}
	return out, err
}

// marked is what is kept of a request's hash. A request may hold a PIN, and who reads
// the database must not find it by trying them all.
func (a *Answers) marked(request [32]byte) [32]byte {
	mac := hmac.New(sha256.New, a.mark[:])
	mac.Write(request[:]) // a hash takes all
	return [32]byte(mac.Sum(nil))
}

// errAnsweredMeanwhile means that the same key was answered by another process
// while this one worked; its transaction is undone.
var errAnsweredMeanwhile = errors.New("the same request was answered meanwhile")

func (a *Answers) keep(ctx context.Context, id, request [32]byte, out Answer) error {
	nonce := make([]byte, a.aead.NonceSize())
	if _, err := io.ReadFull(a.random, nonce); err != nil {
		return fmt.Errorf("seal answer: %w", err)
	}
	err := a.store.AddAnswer(ctx, KeptAnswer{
		ID: id, Request: request, Status: out.Status, ContentType: out.ContentType,
		Sealed: a.aead.Seal(nonce, nonce, out.Body, id[:]), At: a.clock.Now().UTC(),
	})
	if problem.CodeOf(err) == problem.Conflict {
		return fmt.Errorf("%w: %w", errAnsweredMeanwhile, err)
	}
	return err
}

func (a *Answers) again(kept KeptAnswer, request [32]byte) (Answer, error) {
	if subtle.ConstantTimeCompare(kept.Request[:], request[:]) != 1 {
		return Answer{}, problem.New(problem.IdempotencyReused, "the key was used for another request")
	}
	if len(kept.Sealed) < a.aead.NonceSize() {
		return Answer{}, errors.New("open answer: it is cut short")
	}
	nonce, sealed := kept.Sealed[:a.aead.NonceSize()], kept.Sealed[a.aead.NonceSize():]
	body, err := a.aead.Open(nil, nonce, sealed, kept.ID[:])
	if err != nil {
		return Answer{}, fmt.Errorf("open answer: %w", err)
	}
	return Answer{Status: kept.Status, ContentType: kept.ContentType, Body: body}, nil
}
