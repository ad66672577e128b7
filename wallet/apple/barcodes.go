package apple

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tallystick/tallystick/wallet/face"
)

// Barcode is a form of code that Wallet draws. Two-dimensional ones carry the pass token;
// the others, for scanners with a laser, carry the card number, which only earns.
type Barcode string

// The forms of code. ITF and Code39 are known from iOS 27 on.
const (
	QR      Barcode = "PKBarcodeFormatQR"
	PDF417  Barcode = "PKBarcodeFormatPDF417"
	Aztec   Barcode = "PKBarcodeFormatAztec"
	Code128 Barcode = "PKBarcodeFormatCode128"
	Code39  Barcode = "PKBarcodeFormatCode39"
	ITF     Barcode = "PKBarcodeFormatI2of5"
)

// everywhere are the forms known to every iOS version in use.
var everywhere = []Barcode{QR, PDF417, Aztec, Code128}

// withFallback ends the list with the QR when an older iOS would show nothing.
func withFallback(list []Barcode) ([]Barcode, error) {
	seen := map[Barcode]bool{}
	shown := false
	for _, b := range list {
		if !slices.Contains(everywhere, b) && b != Code39 && b != ITF {
			return nil, fmt.Errorf("apple issuer: barcode %q is not known", b)
		}
		if seen[b] {
			return nil, fmt.Errorf("apple issuer: barcode %q is listed twice", b)
		}
		seen[b] = true
		shown = shown || slices.Contains(everywhere, b)
	}
	if shown {
		return slices.Clone(list), nil
	}
	return append(slices.Clone(list), QR), nil
}

type barcode struct {
	Format          Barcode `json:"format"`
	Message         string  `json:"message"`
	MessageEncoding string  `json:"messageEncoding"`
	AltText         string  `json:"altText,omitempty"`
}

// barcodesOf returns the codes in order of preference: iOS 27 takes the first it can show
// where the pass is held, older ones the first they know. A voided pass without a code has
// none.
func barcodesOf(list []Barcode, f face.Face) []barcode {
	if f.Code == "" {
		return nil
	}
	var out []barcode
	for _, b := range list {
		message := f.Code
		if b == Code128 || b == Code39 || b == ITF {
			if message = strings.ReplaceAll(f.Number, " ", ""); !carries(b, message) || f.Kind == face.KindVoucher {
				continue
			}
		}
		out = append(out, barcode{Format: b, Message: message, MessageEncoding: "iso-8859-1", AltText: cut(f.Number, maxShort)})
	}
	if len(out) == 0 {
		out = append(out, barcode{Format: QR, Message: f.Code, MessageEncoding: "iso-8859-1", AltText: cut(f.Number, maxShort)})
	}
	return out
}

// carries tells whether a form of code can say this; what it cannot, no phone draws.
func carries(b Barcode, message string) bool {
	within := func(is func(rune) bool) bool {
		return message != "" && !strings.ContainsFunc(message, func(r rune) bool { return !is(r) })
	}
	switch b {
	case ITF:
		return len(message)%2 == 0 && within(isDigit) // it writes digits in pairs
	case Code39:
		return within(func(r rune) bool { return isDigit(r) || r >= 'A' && r <= 'Z' || strings.ContainsRune("-.$/+%", r) })
	}
	return within(func(r rune) bool { return r >= ' ' && r <= '~' })
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
