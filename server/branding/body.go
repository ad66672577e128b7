package branding

import (
	"encoding/json"
	"fmt"

	"github.com/tallystick/tallystick/wallet/brand"
)

// body is a brand as it is kept, without its pictures. It only grows.
type body struct {
	Programme  string              `json:"programme"`
	Company    string              `json:"company"`
	Background string              `json:"background"`
	Foreground string              `json:"foreground"`
	Label      string              `json:"label"`
	Texts      map[string]bodyText `json:"texts"`
	Website    string              `json:"website,omitempty"`
	Stamps     *bodyStamps         `json:"stamps,omitempty"`
}

type bodyText struct {
	Description string `json:"description"`
	Terms       string `json:"terms,omitempty"`
}

type bodyStamps struct {
	Unit string `json:"unit"`
	Goal int64  `json:"goal"`
}

func writeBody(b brand.Brand) ([]byte, error) {
	out := body{
		Programme: b.Programme, Company: b.Company, Background: b.Background, Foreground: b.Foreground, Label: b.Label,
		Texts: map[string]bodyText{}, Website: b.Website, Stamps: (*bodyStamps)(b.Stamps),
	}
	for locale, t := range b.Texts {
		out.Texts[locale] = bodyText(t)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("write look: %w", err)
	}
	return raw, nil
}

func readBody(raw []byte) (brand.Brand, error) {
	var in body
	if err := json.Unmarshal(raw, &in); err != nil {
		return brand.Brand{}, fmt.Errorf("read look: %w", err)
	}
	b := brand.Brand{
		Programme: in.Programme, Company: in.Company, Background: in.Background, Foreground: in.Foreground, Label: in.Label,
		Texts: map[string]brand.Texts{}, Website: in.Website, Stamps: (*brand.Stamps)(in.Stamps),
	}
	for locale, t := range in.Texts {
		b.Texts[locale] = brand.Texts(t)
	}
	return b, nil
}
