package apple

import (
	"cmp"

	"github.com/tallystick/tallystick/wallet/brand"
)

// What a pass says of its own.
var (
	wordCard        = phrase{"Card", "Kart", "Karta"}
	wordBalance     = phrase{"Balance", "Bakiye", "Saldo"}
	wordPoints      = phrase{"Points", "Puan", "Punkty"}
	wordStamps      = phrase{"Stamps", "Damga", "Pieczątki"}
	wordAsOf        = phrase{"As of", "Güncelleme", "Stan na"}
	wordVouchers    = phrase{"Vouchers", "Kuponlar", "Kupony"}
	wordVoucher     = phrase{"Voucher", "Kupon", "Kupon"}
	wordNext        = phrase{"Next reward", "Sonraki ödül", "Następna nagroda"}
	wordExpiring    = phrase{"Expiring", "Süresi dolacak", "Wygasa"}
	wordExpiresOn   = phrase{"Expires on", "Son tarih", "Data wygaśnięcia"}
	wordPending     = phrase{"Not yet to be spent", "Henüz harcanamaz", "Jeszcze nie do wydania"}
	wordMember      = phrase{"Member", "Üye", "Uczestnik"}
	wordNumber      = phrase{"Card number", "Kart numarası", "Numer karty"}
	wordTerms       = phrase{"Terms", "Koşullar", "Regulamin"}
	wordWebsite     = phrase{"Website", "Web sitesi", "Strona internetowa"}
	wordLastChange  = phrase{"Last change", "Son değişiklik", "Ostatnia zmiana"}
	wordValidTo     = phrase{"Valid until", "Geçerlilik sonu", "Ważny do"}
	wordUsesLeft    = phrase{"Uses left", "Kalan kullanım", "Pozostałe użycia"}
	wordVoided      = phrase{"No longer valid", "Artık geçerli değil", "Już nieważna"}
	wordTier        = phrase{"Tier", "Seviye", "Poziom"}
	wordNextTier    = phrase{"To reach", "Kalan", "Brakuje do"}
	wordTierUntil   = phrase{"Tier kept until", "Seviye geçerlilik sonu", "Poziom ważny do"}
	wordLateUpdates = phrase{
		"What you see is what head office knew at the time above. A store without a connection may know more.",
		"Gördükleriniz, merkezin yukarıdaki zamanda bildikleridir. Bağlantısı olmayan bir mağaza daha fazlasını biliyor olabilir.",
		"Widać to, co centrala wiedziała w podanym wyżej czasie. Sklep bez łączności może wiedzieć więcej.",
	}

	changedTier     = phrase{"Your tier is now %@", "Yeni seviyeniz: %@", "Twój poziom to teraz: %@"}
	changedBalance  = phrase{"Your balance is now %@", "Yeni bakiyeniz: %@", "Twoje saldo to teraz %@"}
	changedVouchers = phrase{"Your vouchers: %@", "Kuponlarınız: %@", "Twoje kupony: %@"}
	changedExpiring = phrase{"Expiring soon: %@", "Yakında süresi dolacak: %@", "Wkrótce wygasa: %@"}
	changedUses     = phrase{"Uses left: %@", "Kalan kullanım: %@", "Pozostałe użycia: %@"}
)

// unitWord is what a unit is called: the two that every programme may have are known,
// others go by the name the programme gives them.
func unitWord(unit string) phrase {
	switch unit {
	case "points":
		return wordPoints
	case "stamps":
		return wordStamps
	}
	if name := oneLine(unit, maxShort); name != "" {
		return phrase{name, name, name}
	}
	return wordBalance
}

// texts takes one of a brand's texts in all languages; the English one stands in for a
// missing one, and otherwise for that.
func texts(b brand.Brand, limit int, pick func(brand.Texts) string, otherwise string) phrase {
	in := func(language string) string { return cut(pick(b.Texts[language]), limit) }
	p := phrase{en: cmp.Or(in("en"), cut(otherwise, limit))}
	p.tr, p.pl = cmp.Or(in("tr"), p.en), cmp.Or(in("pl"), p.en)
	return p
}
