package card

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
)

// mailKind names a mail's text.
type mailKind string

const (
	confirmMail mailKind = "confirm"
	recoverMail mailKind = "recover"
)

// mailWords are what stands in a mail.
type mailWords struct {
	Programme string
	Link      string
	Hours     int
}

//go:embed texts/*.txt
var texts embed.FS

var mails = template.Must(template.ParseFS(texts, "texts/*.txt"))

// compose writes a mail: the first line of the text is its subject.
func compose(l Locale, kind mailKind, words mailWords) (subject, text string, err error) {
	var out strings.Builder
	if err := mails.ExecuteTemplate(&out, fmt.Sprintf("%s.%s.txt", kind, l), words); err != nil {
		return "", "", fmt.Errorf("write mail: %w", err)
	}
	subject, text, _ = strings.Cut(out.String(), "\n")
	return subject, strings.TrimLeft(text, "\n"), nil
}
