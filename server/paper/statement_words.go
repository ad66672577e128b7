package paper

// settleWords are the phrases of statements in one language.
type settleWords struct {
	title, draft, draftText, credit, debit                         string
	party, programme, taxNumber, number, none, period, cut, locked string
	sums, gross, netted, toPay, toGet, even, owed, owes, net       string
	month, note, ofNumber, days, of, remarks, tooMany              string
	counterparty, lines, points, uses                              string

	kinds, left map[string]string
}

// settling are the words of statements in a language; English when there are none in it.
func (l Locale) settling() settleWords {
	if w, ok := settleIn[l]; ok {
		return w
	}
	return settleIn[English]
}

var settleIn = map[Locale]settleWords{
	English: {
		title:        "Statement of settlement",
		draft:        "Draft",
		draftText:    "This is a draft. It has no number, and it may change until the month is locked.",
		credit:       "Credit note",
		debit:        "Debit note",
		party:        "Party",
		programme:    "Programme",
		number:       "Number",
		none:         "none",
		period:       "Period",
		cut:          "With all that was applied by",
		locked:       "Locked",
		taxNumber:    "Tax number",
		counterparty: "Counterparty",
		lines:        "For",
		points:       "Quantity",
		owed:         "Owed to you",
		owes:         "Owed by you",
		net:          "Net",
		sums:         "Totals",
		gross:        "What is owed to you and by you is settled apart.",
		netted:       "What is owed to you and by you is settled as one net amount.",
		toPay:        "You pay",
		toGet:        "You receive",
		even:         "Nothing is paid.",
		month:        "The month",
		note:         "{0}, of {1}",
		ofNumber:     "It corrects statement {0}.",
		days:         "By counterparty and day",
		of:           "of {0}",
		remarks:      "Not finished when this was made; what it comes to follows as notes of later months",
		tooMany:      "More lines than fit on paper: the days are left out. The file of the lines (CSV) has them.",
		uses:         "uses of vouchers",
		kinds:        map[string]string{"redeemed": "redeemed", "repaid": "debt repaid", "fee": "fee", "tax": "tax"},
		left:         map[string]string{"open_exceptions": "open exceptions", "uncertified_days": "days without a certificate", "waiting_entries": "entries that wait"},
	},
	Turkish: {
		title:        "Hesap özeti",
		draft:        "Taslak",
		draftText:    "Bu bir taslaktır. Numarası yoktur ve ay kilitlenene kadar değişebilir.",
		credit:       "Alacak notu",
		debit:        "Borç notu",
		party:        "Taraf",
		programme:    "Program",
		number:       "Numara",
		none:         "yok",
		period:       "Dönem",
		cut:          "Şu ana kadar işlenenlerle",
		locked:       "Kilitlendi",
		taxNumber:    "Vergi numarası",
		counterparty: "Karşı taraf",
		lines:        "Neden",
		points:       "Miktar",
		owed:         "Alacağınız",
		owes:         "Borcunuz",
		net:          "Net",
		sums:         "Toplamlar",
		gross:        "Alacağınız ve borcunuz ayrı ayrı ödenir.",
		netted:       "Alacağınız ve borcunuz tek net tutar olarak ödenir.",
		toPay:        "Ödeyeceğiniz",
		toGet:        "Alacağınız",
		even:         "Ödeme yok.",
		month:        "Ay",
		note:         "{0}, {1} ayı",
		ofNumber:     "{0} numaralı özeti düzeltir.",
		days:         "Karşı tarafa ve güne göre",
		of:           "{0} ayı",
		remarks:      "Bu hazırlanırken bitmemiş olanlar; sonuçları sonraki ayların notlarında yer alır",
		tooMany:      "Kâğıda sığmayacak kadar çok satır var: günler çıkarıldı. Satırların dosyasında (CSV) bulunurlar.",
		uses:         "kupon kullanımları",
		kinds:        map[string]string{"redeemed": "harcanan", "repaid": "ödenen borç", "fee": "ücret", "tax": "vergi"},
		left:         map[string]string{"open_exceptions": "açık istisnalar", "uncertified_days": "belgesiz günler", "waiting_entries": "bekleyen kayıtlar"},
	},
	Polish: {
		title:        "Rozliczenie",
		draft:        "Projekt",
		draftText:    "To jest projekt. Nie ma numeru i może się zmienić, dopóki miesiąc nie zostanie zamknięty.",
		credit:       "Nota uznaniowa",
		debit:        "Nota obciążeniowa",
		party:        "Strona",
		programme:    "Program",
		number:       "Numer",
		none:         "brak",
		period:       "Okres",
		cut:          "Ze wszystkim, co ujęto do",
		locked:       "Zamknięte",
		taxNumber:    "Numer podatkowy",
		counterparty: "Kontrahent",
		lines:        "Za co",
		points:       "Ilość",
		owed:         "Należne Państwu",
		owes:         "Należne od Państwa",
		net:          "Netto",
		sums:         "Sumy",
		gross:        "Należności i zobowiązania rozlicza się osobno.",
		netted:       "Należności i zobowiązania rozlicza się jedną kwotą netto.",
		toPay:        "Płacą Państwo",
		toGet:        "Otrzymują Państwo",
		even:         "Nic nie jest płacone.",
		month:        "Miesiąc",
		note:         "{0}, za {1}",
		ofNumber:     "Koryguje rozliczenie {0}.",
		days:         "Według kontrahenta i dnia",
		of:           "za {0}",
		remarks:      "Niezakończone w chwili sporządzenia; skutki znajdą się w notach późniejszych miesięcy",
		tooMany:      "Pozycji jest więcej, niż mieści papier: dni pominięto. Są w pliku pozycji (CSV).",
		uses:         "użycia voucherów",
		kinds:        map[string]string{"redeemed": "wykorzystane", "repaid": "spłacony dług", "fee": "opłata", "tax": "podatek"},
		left:         map[string]string{"open_exceptions": "otwarte wyjątki", "uncertified_days": "dni bez poświadczenia", "waiting_entries": "oczekujące wpisy"},
	},
}
