package expiry

import (
	"cmp"
	"embed"
	"fmt"
	"math"
	"strings"
	"text/template"
	"time"
)

// Locales are the languages of the mails.
var Locales = []string{"en", "tr", "pl"}

// names are what certificates are called in other languages than that of their names.
var names = map[string]map[string]string{
	"tr": {
		"Apple Wallet: the pass certificate":   "Apple Wallet: kart sertifikası",
		"Apple Wallet: the issuer certificate": "Apple Wallet: Apple’ın sertifikası (WWDR)",
	},
	"pl": {
		"Apple Wallet: the pass certificate":   "Apple Wallet: certyfikat kart",
		"Apple Wallet: the issuer certificate": "Apple Wallet: certyfikat Apple (WWDR)",
	},
}

// ending is what stands in a mail.
type ending struct {
	Programme, Name string
	Over            bool
	Days            int
	Date            string
}

//go:embed texts/*.txt
var texts embed.FS

var mails = template.Must(template.ParseFS(texts, "texts/*.txt"))

// compose writes the mail about a certificate: the first line of the text is its subject.
func (w *Watch) compose(now time.Time, c Certificate) (subject, text string, err error) {
	locale := cmp.Or(w.o.Locale, Locales[0])
	var out strings.Builder
	err = mails.ExecuteTemplate(&out, "ending."+locale+".txt", ending{
		Programme: w.o.Programme, Name: cmp.Or(names[locale][c.Name], c.Name), Over: !now.Before(c.EndsAt),
		Days: int(math.Ceil(c.EndsAt.Sub(now).Hours() / 24)), Date: c.EndsAt.UTC().Format(time.DateOnly),
	})
	if err != nil {
		return "", "", fmt.Errorf("write mail of ending certificate: %w", err)
	}
	subject, text, _ = strings.Cut(out.String(), "\n")
	return subject, strings.TrimLeft(text, "\n"), nil
}
