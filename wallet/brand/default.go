package brand

// Default is the look of a programme for which nobody has set one: version 0, the
// colours of our own pages, built-in pictures, no stamp card.
func Default(programme string) Brand {
	return Brand{
		Programme: programme, Company: programme,
		Background: "#14594a", Foreground: "#fffdf8", Label: "#a3e4cd",
		Texts: map[string]Texts{
			"en": {Description: "Loyalty card", Terms: "Show the code at the till to earn and to redeem."},
			"tr": {Description: "Sadakat kartı", Terms: "Kazanmak ve kullanmak için kodu kasada gösterin."},
			"pl": {Description: "Karta lojalnościowa", Terms: "Pokaż kod przy kasie, aby zbierać i wymieniać."},
		},
	}
}

// TextsIn returns the texts in a language, or else in English.
func (b Brand) TextsIn(locale string) Texts {
	if t, ok := b.Texts[locale]; ok {
		return t
	}
	return b.Texts["en"]
}
