package print

import "fmt"

// Language is the language of a receipt, an ISO 639-1 code.
type Language string

// The languages there are.
const (
	English Language = "en"
	Turkish Language = "tr"
	Polish  Language = "pl"
)

// LanguageOf reads a setting or a parameter; empty is English.
func LanguageOf(text string) (Language, error) {
	switch l := Language(text); l {
	case "":
		return English, nil
	case English, Turkish, Polish:
		return l, nil
	}
	return "", fmt.Errorf("there are no receipts in %q; there are en, tr, pl", text)
}

// words are the phrases of one language. Every field has a text in each.
type words struct {
	point, thousands, clock string

	copied, training, sale, voided, returned, claimed, dayClosed string

	till, receipt, cashier string

	total, discount, toPay, refund, left string
	earned, redeemed, uses, pending      string
	takeOff                              string // with %s: money and currency
	balance, asOf                        string
	claim, claimWorth, claimUntil        string
	entry, reference                     string
	ofSale                               string

	sales, voids, returns, net, others, nobody, claimsPrinted      string
	holds, waiting, entries, head, byHand, over, closeOf, cashiers string
	allowance, standIn, hqAuthorised                               string
}

var allWords = map[Language]words{
	English: {
		point: ".", thousands: ",", clock: "2006-01-02 15:04",
		copied: "COPY", training: "TRAINING - NOT A SALE", sale: "Sale", voided: "VOIDED", returned: "Return", claimed: "Receipt claimed", dayClosed: "Day close",
		till: "Till", receipt: "Receipt", cashier: "Cashier",
		total: "Total", discount: "Discount", toPay: "To pay", refund: "Given back", left: "Can still come back",
		earned: "Earned", redeemed: "Redeemed", uses: "voucher uses", pending: "Not spendable yet",
		takeOff: "Take %s off at the register",
		balance: "Balance", asOf: "As of",
		claim: "Not a member yet? Scan this code, or show it with your card at any till.", claimWorth: "This receipt is worth", claimUntil: "Until",
		entry: "Entry", reference: "Reference", ofSale: "Of the sale",
		sales: "Sales", voids: "Voids", returns: "Returns", net: "Net", others: "Others", nobody: "Not named",
		claimsPrinted: "Receipts to claim", holds: "Open holds", waiting: "Not sent yet", entries: "Entries", head: "Head", byHand: "Closed by hand",
		over: "Closed by itself", closeOf: "Business date", cashiers: "Cashiers",
		allowance: "set aside", standIn: "stand-in", hqAuthorised: "approved",
	},
	Turkish: {
		point: ",", thousands: ".", clock: "02.01.2006 15:04",
		copied: "KOPYA", training: "EĞİTİM - SATIŞ DEĞİLDİR", sale: "Satış", voided: "İPTAL EDİLDİ", returned: "İade", claimed: "Fiş puanı istendi", dayClosed: "Gün sonu",
		till: "Kasa", receipt: "Fiş", cashier: "Kasiyer",
		total: "Toplam", discount: "İndirim", toPay: "Ödenecek", refund: "Geri ödenen", left: "Hâlâ iade edilebilir",
		earned: "Kazanılan", redeemed: "Harcanan", uses: "kupon kullanımı", pending: "Henüz harcanamaz",
		takeOff: "Kasada %s düşün",
		balance: "Bakiye", asOf: "Tarih",
		claim: "Henüz üye değil misiniz? Bu kodu okutun ya da kartınızla herhangi bir kasada gösterin.", claimWorth: "Bu fişin değeri", claimUntil: "Son gün",
		entry: "Kayıt", reference: "Referans", ofSale: "Satışın",
		sales: "Satışlar", voids: "İptaller", returns: "İadeler", net: "Net", others: "Diğerleri", nobody: "Adsız",
		claimsPrinted: "Puanı istenebilir fişler", holds: "Açık rezervasyonlar", waiting: "Henüz gönderilmedi", entries: "Kayıtlar", head: "Baş", byHand: "Elle kapatıldı",
		over: "Kendiliğinden kapandı", closeOf: "İş günü", cashiers: "Kasiyerler",
		allowance: "ayrılmış", standIn: "çevrimdışı", hqAuthorised: "onaylı",
	},
	Polish: {
		point: ",", thousands: " ", clock: "02.01.2006 15:04",
		copied: "KOPIA", training: "SZKOLENIE - TO NIE JEST SPRZEDAŻ", sale: "Sprzedaż", voided: "ANULOWANO", returned: "Zwrot", claimed: "Zgłoszono paragon", dayClosed: "Zamknięcie dnia",
		till: "Kasa", receipt: "Paragon", cashier: "Kasjer",
		total: "Suma", discount: "Rabat", toPay: "Do zapłaty", refund: "Zwrócono", left: "Można jeszcze zwrócić",
		earned: "Zdobyto", redeemed: "Wykorzystano", uses: "użycia kuponu", pending: "Jeszcze niedostępne",
		takeOff: "Odejmij %s w kasie",
		balance: "Saldo", asOf: "Stan na",
		claim: "Nie masz jeszcze karty? Zeskanuj ten kod albo pokaż go z kartą w dowolnej kasie.", claimWorth: "Ten paragon jest wart", claimUntil: "Ważny do",
		entry: "Wpis", reference: "Odnośnik", ofSale: "Do sprzedaży",
		sales: "Sprzedaże", voids: "Anulowania", returns: "Zwroty", net: "Netto", others: "Pozostali", nobody: "Bez nazwy",
		claimsPrinted: "Paragony do zgłoszenia", holds: "Otwarte rezerwacje", waiting: "Jeszcze nie wysłano", entries: "Wpisy", head: "Głowa", byHand: "Zamknięto ręcznie",
		over: "Zamknięto automatycznie", closeOf: "Dzień handlowy", cashiers: "Kasjerzy",
		allowance: "odłożone", standIn: "offline", hqAuthorised: "zatwierdzone",
	},
}

func (l Language) words() words { return allWords[l] }
