package mail

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// SMTP hands mails to a mail server (RFC 5321).
type SMTP struct {
	client *gomail.Client
	from   string
}

const sendWithin = 20 * time.Second

// NewSMTP reads an address smtp://host[:port] (TLS when the server offers it),
// smtp+tls://host[:port] (STARTTLS, or nothing is sent) or smtps://host[:port] (TLS
// from the start), with user and password in it if the server wants them. It does not
// connect.
func NewSMTP(address, from string) (*SMTP, error) {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		// The address may hold a password, so it is not shown.
		return nil, errors.New("the mail server's address is not like smtp://user:password@host:port")
	}
	options := []gomail.Option{gomail.WithTimeout(sendWithin)}
	switch u.Scheme {
	case "smtp":
		options = append(options, gomail.WithPort(25), gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	case "smtp+tls":
		options = append(options, gomail.WithPort(587), gomail.WithTLSPolicy(gomail.TLSMandatory))
	case "smtps":
		options = append(options, gomail.WithPort(465), gomail.WithSSL())
	default:
		return nil, fmt.Errorf("a mail server is reached by smtp, smtp+tls or smtps, not by %q", u.Scheme)
	}
	if port := u.Port(); port != "" {
		n, err := strconv.Atoi(port)
		if err != nil {
			return nil, fmt.Errorf("the mail server's port %q is no number", port)
		}
		options = append(options, gomail.WithPort(n))
	}
	if u.User != nil {
		password, _ := u.User.Password()
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("use mail server: %w", err)
	}
	s := &SMTP{client: client, from: from}
	if _, err := s.message(Mail{To: "somebody@example.org"}); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *SMTP) message(m Mail) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(s.from); err != nil {
		return nil, fmt.Errorf("the sender's address: %w", err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("the receiver's address: %w", err)
	}
	msg.Subject(m.Subject)
	msg.SetDateWithValue(m.CreatedAt)
	// The same mail sent again has the same id, so that readers show it once.
	msg.SetMessageIDWithValue(m.ID.String() + "@tallystick")
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	return msg, nil
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	msg, err := s.message(m)
	if err != nil {
		return err
	}
	if err := s.client.DialAndSendWithContext(ctx, msg); err != nil {
		return fmt.Errorf("hand over mail: %w", err)
	}
	return nil
}
