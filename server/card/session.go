package card

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
)

const (
	// SessionLife is for how long a browser may stay away. Browsers keep a cookie for
	// 400 days at most (RFC 6265bis §5.5).
	SessionLife = 400 * 24 * time.Hour
	// seeEvery is how exactly the last visit is kept.
	seeEvery   = time.Hour
	secretSize = 32
)

// Open is a session that was just opened; Secret goes into the cookie.
type Open struct {
	Secret string
	Session
}

// newSecret returns a secret as text.
func (c *Cards) newSecret() (string, error) {
	raw := make([]byte, secretSize)
	if _, err := io.ReadFull(c.env.Random, raw); err != nil {
		return "", fmt.Errorf("make secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// joinSecret is the cookie's secret for a join: the same for the same key, so that an
// answer lost on the way is given again, cookie and all.
func (c *Cards) joinSecret(key string) string {
	mac := hmac.New(sha256.New, c.env.Secret)
	mac.Write([]byte("tallystick card join v1\x00" + key))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func hashOf(secret string) [32]byte { return sha256.Sum256([]byte("tallystick card v1\x00" + secret)) }

// begin opens a session in the transaction of ctx.
func (c *Cards) begin(ctx context.Context, member uuid.UUID, secret string) (Open, error) {
	now := c.now()
	s := Session{Hash: hashOf(secret), Member: member, CreatedAt: now, SeenAt: now}
	if err := c.env.Store.AddCardSession(ctx, s); err != nil {
		return Open{}, fmt.Errorf("open card: %w", err)
	}
	return Open{Secret: secret, Session: s}, nil
}

// Authenticate returns the session of a cookie's secret, or problem.Unauthenticated.
func (c *Cards) Authenticate(ctx context.Context, secret string) (Session, error) {
	gone := problem.New(problem.Unauthenticated, "this browser shows no card")
	if len(secret) == 0 || len(secret) > maxToken {
		return Session{}, gone
	}
	s, err := c.env.Store.CardSession(ctx, hashOf(secret))
	if problem.CodeOf(err) == problem.NotFound {
		return Session{}, gone
	}
	if err != nil {
		return Session{}, fmt.Errorf("look for session: %w", err)
	}
	now := c.now()
	if now.Sub(s.SeenAt) > SessionLife {
		return Session{}, gone
	}
	if now.Sub(s.SeenAt) > seeEvery {
		if err := c.env.Store.SeeCardSession(ctx, s.Hash, now); err != nil {
			return Session{}, fmt.Errorf("keep session: %w", err)
		}
		s.SeenAt = now
	}
	return s, nil
}

// SignOut ends a session.
func (c *Cards) SignOut(ctx context.Context, s Session) error {
	return c.env.Store.EndCardSession(ctx, s.Hash)
}
