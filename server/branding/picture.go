package branding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// PictureID is the SHA-256 of a picture as it is kept.
type PictureID [32]byte

// String is the id in hexadecimal, empty for the zero id.
func (id PictureID) String() string {
	if id == (PictureID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// ReadPictureID reads what String writes.
func ReadPictureID(text string) (PictureID, error) {
	var id PictureID
	if text == "" {
		return id, nil
	}
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(id) {
		return PictureID{}, problem.New(problem.NotFound, "there is no such picture")
	}
	return PictureID(raw), nil
}

// unusedFor is how long a picture is kept that no look has: somebody is still at it.
const unusedFor = 48 * time.Hour

// Picture is a picture as it is kept.
type Picture struct {
	ID            PictureID
	Width, Height int // pixels
	Bytes         int
}

// AddPicture takes a picture as uploaded and keeps it for a look to name. What is refused
// is said as brand.ReadPicture says it.
func (s *Service) AddPicture(ctx context.Context, raw []byte) (Picture, error) {
	png, size, err := s.read(ctx, raw)
	if err != nil {
		return Picture{}, err
	}
	p := Picture{ID: sha256.Sum256(png), Width: size[0], Height: size[1], Bytes: len(png)}
	now := s.now()
	if err := s.env.Store.DropPictures(ctx, now.Add(-unusedFor)); err != nil {
		return Picture{}, fmt.Errorf("drop pictures: %w", err)
	}
	if err := s.env.Store.AddPicture(ctx, p.ID, png, now); err != nil {
		return Picture{}, fmt.Errorf("keep picture: %w", err)
	}
	return p, nil
}

func (s *Service) read(ctx context.Context, raw []byte) (png []byte, size [2]int, err error) {
	select {
	case s.decoding <- struct{}{}:
	case <-ctx.Done():
		return nil, size, problem.Wrap(problem.Backpressure, ctx.Err(), "other pictures are being read")
	}
	defer func() { <-s.decoding }()
	return brand.ReadPicture(raw)
}

// Picture returns a picture as it is kept, a PNG.
func (s *Service) Picture(ctx context.Context, id PictureID) ([]byte, error) {
	png, err := s.env.Store.Picture(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	return png, nil
}

// Images are the pictures of an Apple pass (see brand.Render), remembered.
func (s *Service) Images(b brand.Brand, f face.Face) ([]brand.Image, error) {
	return s.painter.Images(b, f)
}

// Public is a picture that Google fetches, by the version and name of brand.PublicPath.
// Anybody may ask for any of any look: what is remembered is handed out at once, and few
// others are read and drawn at a time.
func (s *Service) Public(ctx context.Context, version uint64, name string) (brand.Image, error) {
	if drawn, ok := s.painter.Drawn(version, name); ok {
		return drawn, nil
	}
	select {
	case s.drawing <- struct{}{}:
	case <-ctx.Done():
		return brand.Image{}, problem.Wrap(problem.Backpressure, ctx.Err(), "other pictures are being drawn")
	}
	defer func() { <-s.drawing }()
	b, err := s.At(ctx, version)
	if err != nil {
		return brand.Image{}, err
	}
	return s.painter.Picture(b, name)
}
