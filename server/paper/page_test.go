package paper

import (
	"strings"
	"testing"
)

func TestThePageSaysWhatThePaperSays(t *testing.T) {
	d := sample()
	d.Name = `<script>alert(1)</script>`
	d.Late = append(d.Late, d.Late[0])
	d.Late[1].Date = "2027-03-10"
	raw, err := d.Page(English)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, want := range []string{
		english.good, "2026-03-29", d.digest(), d.Previous, "1,234,567.89 TRY", "Came late, of 2026-03-27", "Dated ahead, 2027-03-10", "Kasa ĞÜŞİÖÇ", "12–1840", "covers branch 0", "count for nothing",
		"Overdraw", "At most 4,000 by rights", english.restored, "&lt;script&gt;", `href="` + d.Link() + `?text"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("a store's name became part of the page")
	}
	// The policy names the style by its digest, so what stands in the page must be that.
	if !strings.Contains(page, "<style>"+pageStyle+"</style>") {
		t.Error("the page has another style than the policy allows")
	}
}

func TestThePageOfNothingSaysNothing(t *testing.T) {
	for _, locale := range []Locale{English, Turkish, Polish} {
		raw, err := NoPage(locale)
		slow, serr := SlowPage(locale)
		say := locale.words()
		if err != nil || !strings.Contains(string(raw), say.bad) || strings.Contains(string(raw), "<dl>") || serr != nil || !strings.Contains(string(slow), say.slow) {
			t.Errorf("%s: %s, %v, %s, %v", locale, raw, err, slow, serr)
		}
	}
}

func TestThePageSpeaksTheLanguageOfWhoAsks(t *testing.T) {
	for header, want := range map[string]Locale{
		"": English, "de-DE,de;q=0.9": English, "tr-TR,tr;q=0.9,en;q=0.8": Turkish, "PL": Polish, "de, pl;q=0.5": Polish, ";;,": English, "en-GB, tr": English,
	} {
		if got := Prefers(header); got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}
