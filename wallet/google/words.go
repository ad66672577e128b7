package google

import (
	"fmt"
	"strconv"
	"time"

	"github.com/tallystick/tallystick/wallet/face"
)

// languages are those a pass speaks; the first is what others are shown.
var languages = []string{"en", "tr", "pl"}

// word is one text in each of the languages, in their order.
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
	for i, l := range languages {
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
	for _, l := range languages {
		out.TranslatedValues = append(out.TranslatedValues, TranslatedString{Language: l, Value: say(l)})
	}
	return out
}

// reader is the language a face is read in, one of ours.
func reader(locale string) string {
	for _, l := range languages {
		if l == locale {
			return l
		}
	}
	return languages[0]
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

// exponents are how many digits stand behind the point of currencies that have not two
// (ISO 4217).
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}

func exponent(currency string) int {
	if e, known := exponents[currency]; known {
		return e
	}
	return 2
}

// amount writes an amount of a unit: "Points: 120", "3.50 EUR". The colon spares the
// forms that numbers ask of a word in Polish.
func amount(language, unit, currency string, n int64) string {
	if currency == "" {
		return unitWord(unit).in(language) + ": " + strconv.FormatInt(n, 10)
	}
	return money(language, currency, n)
}

// money writes minor units of a currency.
func money(language, currency string, n int64) string {
	sign, digits := "", strconv.FormatInt(n, 10)
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	e := exponent(currency)
	if e == 0 {
		return sign + digits + " " + currency
	}
	for len(digits) <= e {
		digits = "0" + digits
	}
	point := ","
	if language == "en" {
		point = "."
	}
	cut := len(digits) - e
	return sign + digits[:cut] + point + digits[cut:] + " " + currency
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
