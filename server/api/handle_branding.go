package api

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/passtoken"
	"github.com/tallystick/tallystick/wallet/printed"
)

// picturesPath is where pictures are uploaded, the one place where a body is no JSON.
const picturesPath = basePath + "/branding/pictures"

// GetBranding implements StrictServerInterface.
func (h handlers) GetBranding(ctx context.Context, _ GetBrandingRequestObject) (GetBrandingResponseObject, error) {
	look, err := h.o.Branding.Look(ctx)
	return GetBranding200JSONResponse(showLook(look)), err
}

// PutBranding implements StrictServerInterface.
func (h handlers) PutBranding(ctx context.Context, r PutBrandingRequestObject) (PutBrandingResponseObject, error) {
	b, pictures, err := readLook(*r.Body)
	if err != nil {
		return nil, err
	}
	who := callerOf(ctx).person
	look, err := h.o.Branding.Put(ctx, branding.Person{ID: who.ID, Name: who.Name}, b, pictures)
	return PutBranding200JSONResponse(showLook(look)), err
}

// CheckBranding implements StrictServerInterface.
func (h handlers) CheckBranding(ctx context.Context, r CheckBrandingRequestObject) (CheckBrandingResponseObject, error) {
	b, pictures, err := readLook(*r.Body)
	if err != nil {
		return nil, err
	}
	_, warnings, err := h.o.Branding.Check(ctx, b, pictures)
	return CheckBranding200JSONResponse{Warnings: showAll(warnings, showWarning)}, err
}

// AddBrandingPicture implements StrictServerInterface.
func (h handlers) AddBrandingPicture(ctx context.Context, r AddBrandingPictureRequestObject) (AddBrandingPictureResponseObject, error) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	p, err := h.o.Branding.AddPicture(ctx, raw)
	return AddBrandingPicture201JSONResponse{ID: p.ID.String(), Width: p.Width, Height: p.Height, Bytes: p.Bytes}, err
}

// GetBrandingPicture implements StrictServerInterface.
func (h handlers) GetBrandingPicture(ctx context.Context, r GetBrandingPictureRequestObject) (GetBrandingPictureResponseObject, error) {
	id, err := branding.ReadPictureID(r.Picture)
	if err != nil {
		return nil, err
	}
	png, err := h.o.Branding.Picture(ctx, id)
	return GetBrandingPicture200ImagePngResponse{Body: bytes.NewReader(png), ContentLength: int64(len(png))}, err
}

// sample is what a preview of a printed card shows. Its code is none of ours.
var sample = face.Face{
	Kind: face.KindMember, Name: "Ada Lovelace", Number: "1000 2000 3000 4000",
	Code: strings.Repeat("SAMPLE0", 21)[:141], ExpiresOn: time.Date(2030, 12, 31, 0, 0, 0, 0, time.UTC),
}

// GetBrandingPreview implements StrictServerInterface.
func (h handlers) GetBrandingPreview(ctx context.Context, r GetBrandingPreviewRequestObject) (GetBrandingPreviewResponseObject, error) {
	b, err := h.previewed(ctx, r.Params)
	if err != nil {
		return nil, err
	}
	var png []byte
	switch r.Name {
	case "card":
		shown := sample
		shown.Locale = string(valueOf(r.Params.Locale))
		png, err = printedPNG(b, shown, printed.LeastDPI)
	case "code":
		png, err = passtoken.PNG(sample.Code, 4)
	default:
		var drawn brand.Image
		drawn, err = brand.Draw(b, string(r.Name), valueOf(r.Params.Filled))
		png = drawn.PNG
	}
	return GetBrandingPreview200ImagePngResponse{Body: bytes.NewReader(png), ContentLength: int64(len(png))}, err
}

// previewed is the brand of a preview: what the request says, and else the built-in look.
func (h handlers) previewed(ctx context.Context, p GetBrandingPreviewParams) (brand.Brand, error) {
	b := brand.Default(h.o.Cards.Name())
	b.Background, b.Foreground, b.Label, b.Website = p.Background, p.Foreground, p.Label, valueOf(p.Website)
	if p.Programme != nil {
		b.Programme, b.Company = *p.Programme, *p.Programme
	}
	if p.Description != nil {
		b.Texts = map[string]brand.Texts{"en": {Description: *p.Description}}
	}
	if goal := valueOf(p.Goal); goal > 0 {
		b.Stamps = &brand.Stamps{Unit: "stamps", Goal: int64(goal)}
	}
	pictures, err := readPictures(p.Logo, p.Icon, p.Strip)
	if err != nil {
		return brand.Brand{}, err
	}
	b, _, err = h.o.Branding.Check(ctx, b, pictures)
	return b, err
}

func readPictures(logo, icon, strip *string) (branding.Pictures, error) {
	var p branding.Pictures
	for _, of := range []struct {
		name string
		text *string
		into *branding.PictureID
	}{{"logo", logo, &p.Logo}, {"icon", icon, &p.Icon}, {"strip", strip, &p.Strip}} {
		id, err := branding.ReadPictureID(valueOf(of.text))
		if err != nil {
			return p, &problem.Error{
				Code: problem.InvalidField, Detail: "a picture is not known", Fields: map[string]string{"/pictures/" + of.name: "is not known"}, Err: err,
			}
		}
		*of.into = id
	}
	return p, nil
}

func readLook(c BrandingChange) (brand.Brand, branding.Pictures, error) {
	b := brand.Brand{
		Version: uint64(max(c.Version, 0)), Programme: strings.TrimSpace(c.Programme), Company: strings.TrimSpace(c.Company),
		Background: c.Background, Foreground: c.Foreground, Label: c.Label, Website: valueOf(c.Website),
		Texts: map[string]brand.Texts{"en": readText(c.Texts.En)},
	}
	for locale, t := range map[string]*BrandingText{"tr": c.Texts.Tr, "pl": c.Texts.Pl} {
		if t != nil {
			b.Texts[locale] = readText(*t)
		}
	}
	if c.Stamps != nil {
		b.Stamps = &brand.Stamps{Unit: c.Stamps.Unit, Goal: c.Stamps.Goal}
	}
	pictures, err := readPictures(c.Pictures.Logo, c.Pictures.Icon, c.Pictures.Strip)
	return b, pictures, err
}

func readText(t BrandingText) brand.Texts {
	return brand.Texts{Description: strings.TrimSpace(t.Description), Terms: strings.TrimSpace(valueOf(t.Terms))}
}

func showLook(l branding.Look) Branding {
	b := l.Brand
	out := Branding{
		Version: int64(b.Version), Programme: b.Programme, Company: b.Company, Background: b.Background, Foreground: b.Foreground, Label: b.Label,
		Website: unlessEmpty(b.Website), Warnings: showAll(l.Warnings, showWarning),
		Pictures: BrandingPictures{
			Logo: unlessEmpty(l.Pictures.Logo.String()), Icon: unlessEmpty(l.Pictures.Icon.String()), Strip: unlessEmpty(l.Pictures.Strip.String()),
		},
		Texts:     BrandingTexts{En: showText(b.Texts["en"])},
		ChangedBy: unlessEmpty(l.By.Name), ChangedAt: unlessEmpty(l.At),
	}
	for locale, into := range map[string]**BrandingText{"tr": &out.Texts.Tr, "pl": &out.Texts.Pl} {
		if t, ok := b.Texts[locale]; ok {
			shown := showText(t)
			*into = &shown
		}
	}
	if s := b.Stamps; s != nil {
		out.Stamps = &BrandingStamps{Unit: s.Unit, Goal: s.Goal}
	}
	return out
}

func showText(t brand.Texts) BrandingText {
	return BrandingText{Description: t.Description, Terms: unlessEmpty(t.Terms)}
}

func showWarning(w brand.Warning) BrandingWarning {
	return BrandingWarning{Code: BrandingWarningCode(w.Code), Field: w.Field, Have: w.Have, Want: w.Want}
}
