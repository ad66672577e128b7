package people

import (
	"crypto/ed25519"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// audience is whom the tokens are for.
const audience = "tallystick-hq-api"

func (d *Directory) token(s Session) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.RegisteredClaims{
		Issuer:    d.env.Issuer,
		Subject:   s.Person.String(),
		Audience:  jwt.ClaimStrings{audience},
		ExpiresAt: jwt.NewNumericDate(s.ExpiresAt),
		IssuedAt:  jwt.NewNumericDate(s.CreatedAt),
		ID:        s.ID.String(),
	})
	text, err := token.SignedString(d.env.TokenKey)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return text, nil
}

// sessionOf verifies a token and returns the session it is for. The one algorithm
// and the one key are ours; what the token's header says picks neither.
func (d *Directory) sessionOf(token string) (uuid.UUID, error) {
	public := d.env.TokenKey.Public().(ed25519.PublicKey)
	var claims jwt.RegisteredClaims
	_, err := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(d.env.Issuer),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(d.env.Clock.Now),
	).ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return public, nil })
	if err != nil {
		return uuid.Nil, fmt.Errorf("read token: %w", err)
	}
	return uuid.Parse(claims.ID)
}
