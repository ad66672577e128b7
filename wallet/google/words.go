package google

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/internal/currency"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/face"
)

// word is one text in each of [brand.Languages], in their order.
type word [3]string

var (
	wordNumber   = word{"Card number", "Kart numarası", "Numer karty"}
	wordName     = word{"Name", "Ad", "Imię"}
	wordExpiring = word{"Expiring soon", "Yakında bitecek", "Wkrótce wygasa"}
	wordNext     = word{"Next reward", "Sıradaki ödül", "Następna nagroda"}
	wordVouchers = word{"Vouchers", "Kuponlar", "Kupony"}
	wordPending  = word{"Not to be spent yet", "Henüz kullanılamaz", "Jeszcze niedostępne"}
	wordAsOf     = word{"As of", "Şu an itibarıyla", "Stan na"}
	wordTerms    = word{"Terms", "Koşullar", "Regulamin"}
	wordUses     = word{"Uses left", "Kalan kullanım", "Pozostałe użycia"}
	wordOn       = word{"%s on %s", "%[2]s: %[1]s", "%s w dniu %s"}
	wordUntil    = word{"%s, until %s", "%s, son gün %s", "%s, do %s"}
	wordHave     = word{"%s: %d of %d", "%s: %d / %d", "%s: %d z %d"}
	wordTier     = word{"Tier", "Seviye", "Poziom"}
	wordKept     = word{"%s, kept until %s", "%s, son gün %s", "%s, do %s"}
	wordToNext   = word{"To reach %s: %s", "%s için kalan: %s", "Do poziomu %s brakuje: %s"}
	wordNewTier  = word{"Your tier", "Seviyeniz", "Twój poziom"}
	wordPoints   = word{"Points", "Puan", "Punkty"}
	wordStamps   = word{"Stamps", "Damga", "Pieczątki"}
	wordCashback = word{"Cashback", "Para iadesi", "Zwrot"}
)

// units are the labels of the units that every programme may have; others go by their
// own name.
var units = map[string]word{"points": wordPoints, "stamps": wordStamps, "cashback": wordCashback}

func unitWord(unit string) word {
	if w, known := units[unit]; known {
		return w
	}
	return word{unit, unit, unit}
}

// in says the word in a language; another one is answered in the first.
func (w word) in(language string) string {
	for i, l := range brand.Languages {
		if l == language {
			return w[i]
		}
	}
	return w[0]
}

// localized is the word in all languages. What the phone's language is not among is
// shown the reader's.
func (w word) localized(reader string) *LocalizedString {
	return spoken(reader, w.in)
}

// spoken is a text in all languages, made by a function of the language.
func spoken(reader string, say func(language string) string) *LocalizedString {
	out := &LocalizedString{DefaultValue: TranslatedString{Language: reader, Value: say(reader)}}
	for _, l := range brand.Languages {
		out.TranslatedValues = append(out.TranslatedValues, TranslatedString{Language: l, Value: say(l)})
	}
	return out
}

// reader is the language a face is read in, one of ours.
func reader(locale string) string {
	for _, l := range brand.Languages {
		if l == locale {
			return l
		}
	}
	return brand.Languages[0]
}

// day is a date as people of the language write it.
func day(language string, at time.Time) string {
	at = at.UTC()
	if language == "en" {
		return at.Format("2 Jan 2006")
	}
	return at.Format("02.01.2006")
}

// moment is a date and time in UTC; passes are read in many time zones.
func moment(language string, at time.Time) string {
	return day(language, at) + " " + at.UTC().Format("15:04") + " UTC"
}

// amount writes an amount of a unit: "Points: 120", "3.50 EUR". The colon spares the
// forms that numbers ask of a word in Polish.
func amount(language, unit, code string, n int64) string {
	if code == "" {
		return unitWord(unit).in(language) + ": " + strconv.FormatInt(n, 10)
	}
	return money(language, code, n)
}

// money writes minor units of a currency.
func money(language, code string, n int64) string {
	sign, whole, part := currency.Split(n, currency.Digits(code))
	if part == "" {
		return sign + whole + " " + code
	}
	point := ","
	if language == "en" {
		point = "."
	}
	return sign + whole + point + part + " " + code
}

func expiringLine(language string, e face.Expiring) string {
	return fmt.Sprintf(wordOn.in(language), amount(language, e.Unit, e.Currency, e.Amount), day(language, e.At))
}

func voucherLine(language string, v face.Voucher) string {
	line := v.Name
	if v.Discount != 0 {
		line += " (" + money(language, v.Currency, v.Discount) + ")"
	}
	if v.Left > 1 {
		line = strconv.FormatInt(v.Left, 10) + " × " + line
	}
	if v.ValidTo.IsZero() {
		return line
	}
	return fmt.Sprintf(wordUntil.in(language), line, day(language, v.ValidTo))
}

// tierLines say which tier it is and until when, and how far it is to the next.
func tierLines(language string, t *face.Tier) []string {
	if t == nil {
		return nil
	}
	var lines []string
	if name := face.NameIn(t.Names, language); name != "" && t.KeptUntil.IsZero() {
		lines = append(lines, name)
	} else if name != "" {
		lines = append(lines, fmt.Sprintf(wordKept.in(language), name, day(language, t.KeptUntil)))
	}
	if t.NextKey != "" {
		lines = append(lines, fmt.Sprintf(wordToNext.in(language), face.NameIn(t.NextNames, language), amount(language, t.Unit, t.Currency, t.Missing)))
	}
	return lines
}
