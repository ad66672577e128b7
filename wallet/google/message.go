package google

// Telling is a message to a shopper, by language; "en" is what other languages get.
type Telling struct {
	ID     string
	Header map[string]string
	Body   map[string]string
}

// Message makes Google's form of it, for a reader's language. Notify has the phone tell
// of it at once; otherwise it stands on the pass.
func (t Telling) Message(locale string, notify bool) Message {
	lang := reader(locale)
	say := func(in map[string]string, most int) func(string) string {
		return func(language string) string { return cut(in[language], in["en"], most) }
	}
	header, body := say(t.Header, maxTitle), say(t.Body, maxBody)
	m := Message{
		ID: t.ID, Header: header(lang), Body: body(lang), MessageType: messageText,
		LocalizedHeader: spoken(lang, header), LocalizedBody: spoken(lang, body),
	}
	if notify {
		m.MessageType = messageAndNotify
	}
	return m
}

// PerDay is of how many things a pass may tell in 24 hours by a notification; Google
// drops what is more.
const PerDay = 3
