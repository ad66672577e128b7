package pass

import (
	"context"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/wallet/face"
)

// For the tests of what phones send.
var (
	TagText = tagText
	ReadTag = readTag
)

// FaceOf is what a member's card says on a channel now, with its code: what a phone that
// has caught up shows.
func (s *Service) FaceOf(ctx context.Context, member uuid.UUID, ch Channel) (face.Face, error) {
	cat, err := s.catalogue(ctx)
	if err != nil {
		return face.Face{}, err
	}
	drafts, err := s.drafts(ctx, cat, []Pass{{Key: KeyOf(member, uuid.Nil), Member: member, Channel: ch, State: Issued}})
	if err != nil {
		return face.Face{}, err
	}
	return s.finish(drafts[0])
}
