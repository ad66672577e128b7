package api

import (
	"bytes"
	"context"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/pass"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/passtoken"
	"github.com/tallystick/tallystick/wallet/printed"
)

// GetMemberCardPDF implements StrictServerInterface.
func (h handlers) GetMemberCardPDF(ctx context.Context, r GetMemberCardPDFRequestObject) (GetMemberCardPDFResponseObject, error) {
	page, err := onStock(ctx, h, r.ID, r.Params.Locale, (*printed.Stock).PDF)
	return GetMemberCardPDF200ApplicationPdfResponse{Body: bytes.NewReader(page), ContentLength: int64(len(page))}, err
}

// GetMemberCardPNG implements StrictServerInterface.
func (h handlers) GetMemberCardPNG(ctx context.Context, r GetMemberCardPNGRequestObject) (GetMemberCardPNGResponseObject, error) {
	dpi := printed.DefaultDPI
	if r.Params.Dpi != nil {
		dpi = *r.Params.Dpi
	}
	if dpi < printed.LeastDPI || dpi > printed.MostDPI {
		return nil, badParameter("dpi", "must be 150 to 600")
	}
	picture, err := onStock(ctx, h, r.ID, r.Params.Locale, func(s *printed.Stock, f face.Face) ([]byte, error) { return s.PNG(f, dpi) })
	return GetMemberCardPNG200ImagePngResponse{Body: bytes.NewReader(picture), ContentLength: int64(len(picture))}, err
}

// GetMemberCardSVG implements StrictServerInterface.
func (h handlers) GetMemberCardSVG(ctx context.Context, r GetMemberCardSVGRequestObject) (GetMemberCardSVGResponseObject, error) {
	drawing, err := onStock(ctx, h, r.ID, r.Params.Locale, (*printed.Stock).SVG)
	return GetMemberCardSVG200ImageSvgXMLResponse{Body: strings.NewReader(drawing), ContentLength: int64(len(drawing))}, err
}

// GetCardSheet implements StrictServerInterface.
func (h handlers) GetCardSheet(ctx context.Context, r GetCardSheetRequestObject) (GetCardSheetResponseObject, error) {
	if n := len(r.Params.ID); n < 1 || n > printed.MaxSheet {
		return nil, badParameter("id", "must be given 1 to 100 times")
	}
	faces := make([]face.Face, len(r.Params.ID))
	for i, id := range r.Params.ID {
		var err error
		if faces[i], err = h.faceOf(ctx, id, r.Params.Locale); err != nil {
			return nil, err
		}
	}
	stock, err := h.stock(ctx)
	if err != nil {
		return nil, err
	}
	pages, err := stock.Sheet(faces)
	return GetCardSheet200ApplicationPdfResponse{Body: bytes.NewReader(pages), ContentLength: int64(len(pages))}, err
}

// PrintCardPDF implements StrictServerInterface.
func (h handlers) PrintCardPDF(ctx context.Context, _ PrintCardPDFRequestObject) (PrintCardPDFResponseObject, error) {
	page, err := ownOnStock(ctx, h, (*printed.Stock).PDF)
	return PrintCardPDF200ApplicationPdfResponse{Body: bytes.NewReader(page), ContentLength: int64(len(page))}, err
}

// PrintCardPNG implements StrictServerInterface.
func (h handlers) PrintCardPNG(ctx context.Context, _ PrintCardPNGRequestObject) (PrintCardPNGResponseObject, error) {
	picture, err := ownOnStock(ctx, h, func(s *printed.Stock, f face.Face) ([]byte, error) { return s.PNG(f, printed.DefaultDPI) })
	return PrintCardPNG200ImagePngResponse{Body: bytes.NewReader(picture), ContentLength: int64(len(picture))}, err
}

// PrintCardSVG implements StrictServerInterface.
func (h handlers) PrintCardSVG(ctx context.Context, _ PrintCardSVGRequestObject) (PrintCardSVGResponseObject, error) {
	drawing, err := ownOnStock(ctx, h, (*printed.Stock).SVG)
	return PrintCardSVG200ImageSvgXMLResponse{Body: strings.NewReader(drawing), ContentLength: int64(len(drawing))}, err
}

// onStock prints the card of a member in one format.
func onStock[format any](ctx context.Context, h handlers, member uuid.UUID, locale *CardLocale, print func(*printed.Stock, face.Face) (format, error)) (out format, err error) {
	f, err := h.faceOf(ctx, member, locale)
	if err != nil {
		return out, err
	}
	stock, err := h.stock(ctx)
	if err != nil {
		return out, err
	}
	return print(stock, f)
}

// ownOnStock prints the card of the shopper who asks, in the language of the card.
func ownOnStock[format any](ctx context.Context, h handlers, print func(*printed.Stock, face.Face) (format, error)) (out format, err error) {
	member := shopperOf(ctx).Member
	known, err := h.o.Cards.Known(ctx, member)
	if err != nil {
		return out, err
	}
	locale := CardLocale(known.Holder.Locale)
	return onStock(ctx, h, member, &locale, print)
}

func (h handlers) stock(ctx context.Context) (*printed.Stock, error) {
	b, err := h.o.Branding.Current(ctx)
	if err != nil {
		return nil, err
	}
	return printed.New(b)
}

func printedPNG(b brand.Brand, f face.Face, dpi int) ([]byte, error) {
	stock, err := printed.New(b)
	if err != nil {
		return nil, err
	}
	return stock.PNG(f, dpi)
}

// faceOf is what is printed of a member: what a static pass says, without balances, which
// paper cannot keep up with. It is noted that the member has such a card. A blocked member
// has none.
func (h handlers) faceOf(ctx context.Context, member uuid.UUID, locale *CardLocale) (face.Face, error) {
	in := En
	if locale != nil {
		in = *locale
	}
	if !in.Valid() {
		return face.Face{}, problem.New(problem.InvalidField, "the locale must be en, tr or pl")
	}
	card, err := h.o.Programme.Pass(ctx, member, passtoken.FreshnessStatic)
	if err != nil {
		return face.Face{}, err
	}
	if h.o.Passes != nil { // so that the code on the paper is not issued anew by itself
		if _, err := h.o.Passes.Issue(ctx, member, pass.Printed); err != nil {
			return face.Face{}, err
		}
	}
	return face.Face{
		Kind: face.KindMember, Subject: member, Name: card.Member.Alias, Number: passtoken.CardNumberOf(member).String(), Locale: string(in),
		Code: card.Text, Issue: card.Member.Issue, ExpiresOn: card.ExpiresOn,
	}, nil
}
