package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/server/branding"
	"github.com/tallystick/tallystick/server/store"
	"github.com/tallystick/tallystick/wallet/apple"
	"github.com/tallystick/tallystick/wallet/apple/apns"
	"github.com/tallystick/tallystick/wallet/brand"
	"github.com/tallystick/tallystick/wallet/doctor"
	"github.com/tallystick/tallystick/wallet/face"
	"github.com/tallystick/tallystick/wallet/google"
)

// askWithin bounds each question of the doctor to somebody else.
const askWithin = 10 * time.Second

type walletCommand struct {
	Doctor doctorCommand `cmd:"" help:"Say in words what is wrong with certificates, addresses, clock, pictures and accounts. Exit code 1 when something is an error."`
}

type doctorCommand struct {
	PublicURL string      `name:"public-url" help:"Where shoppers reach this HQ, as serve is told." default:"http://localhost:8080"`
	JSON      bool        `name:"json" help:"Print the findings as JSON."`
	Offline   bool        `help:"Ask nobody: look at the files and settings only."`
	Wallet    walletFlags `embed:""`
}

// checkup is one visit to the doctor.
type checkup struct {
	doctorCommand
	client   *http.Client
	clock    clock.Clock
	look     brand.Brand // of passes
	readings []doctor.Reading
	findings []doctor.Finding
}

func (c *checkup) add(f ...doctor.Finding) { c.findings = append(c.findings, f...) }

// Run looks at everything and prints what it found.
func (c doctorCommand) Run(ctx context.Context, s *surroundings) error {
	if err := c.Wallet.check(); err != nil {
		return err
	}
	found, err := c.look(ctx, s)
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(s.stdout).Encode(struct {
			Worst    doctor.Level     `json:"worst"`
			Findings []doctor.Finding `json:"findings"`
		}{doctor.Worst(found), found})
	} else {
		err = printFindings(s.stdout, found)
	}
	if err == nil && doctor.Worst(found) == doctor.Error {
		return errReported
	}
	return err
}

// printFindings writes a finding in a line, and below it why it matters and what to do.
func printFindings(w io.Writer, found []doctor.Finding) error {
	var out strings.Builder
	for _, f := range found {
		fmt.Fprintf(&out, "%-7s  %s  (%s)\n", f.Level, f.What, f.Code)
		if f.Do != "" {
			fmt.Fprintf(&out, "         Why it matters: %s\n         What to do: %s\n", f.Why, f.Do)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// ask gets an address, and keeps what its server's clock says.
func (c *checkup) ask(ctx context.Context, address string) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, err
	}
	began := c.clock.Now()
	answer, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	now := c.clock.Now()
	if their, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		c.readings = append(c.readings, doctor.Reading{Who: request.URL.Host, Mine: now, Their: their, Took: now.Sub(began), Exact: time.Second})
	}
	return answer.StatusCode, nil
}

// askDatabase keeps what the database's clock says, which a file has none of, and how
// passes look. Where there is no HQ yet there is nobody to ask.
func (c *checkup) askDatabase(ctx context.Context, s *surroundings) error {
	if _, err := os.Stat(filepath.Join(s.cli.Data, keyFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	db, err := store.Open(ctx, s.cli.database(), s.cli.options())
	if err != nil {
		return err
	}
	look, lookErr := branding.New(branding.Env{Store: db, Clock: c.clock, Programme: c.look.Programme}).Current(ctx)
	if lookErr != nil {
		c.add(doctor.Say(doctor.Pictures, doctor.Error, fmt.Sprintf("how passes look could not be read: %v", lookErr)))
	} else {
		c.look = look
	}
	began := c.clock.Now()
	their, err := db.Time(ctx)
	now := c.clock.Now()
	if err == nil && !their.IsZero() {
		c.readings = append(c.readings, doctor.Reading{Who: "the database", Mine: now, Their: their, Took: now.Sub(began)})
	}
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}

// look looks at everything, the files first.
func (c doctorCommand) look(ctx context.Context, s *surroundings) ([]doctor.Finding, error) {
	u := &checkup{doctorCommand: c, clock: clock.System{}, look: brand.Default("Tallystick")}
	files, err := c.Wallet.read(s.cli.Data, s.stdin, u.clock.Now())
	if files == nil {
		return nil, err
	}
	u.client = files.client(askWithin)
	if !c.Offline {
		if err := u.askDatabase(ctx, s); err != nil {
			return nil, err
		}
	}
	u.lookAtApple(files, s.cli.Data, err)
	u.lookAtGoogle(files, err)
	if !c.Wallet.apple() && !c.Wallet.google() {
		u.add(doctor.Nothing())
	}
	u.add(doctor.Public(c.PublicURL))
	if !c.Offline {
		u.askAround(ctx, files)
	}
	u.add(doctor.Clock(u.readings...))
	return u.findings, nil
}

// lookAtApple looks at the files, at a pass made of them, and at its pictures.
func (c *checkup) lookAtApple(w *walletFiles, data string, err error) {
	if !c.Wallet.apple() {
		return
	}
	if c.Wallet.SelfMade {
		c.add(doctor.OwnAuthority(filepath.Join(data, selfMadeDir)))
	}
	for _, f := range w.findings {
		if finding, worth := doctorsWord(f); worth {
			c.add(finding)
		}
	}
	if w.credentials == nil {
		if len(w.findings) == 0 {
			c.add(doctor.Files(doctor.AppleFiles, err, ""))
		}
		return
	}
	c.add(doctor.Files(doctor.AppleFiles, nil, fmt.Sprintf("certificate and key of pass type %s and team %s fit each other and their authority", w.credentials.PassType(), w.credentials.Team())))
	for _, e := range w.credentials.Expiries() {
		c.add(doctor.Expiry(c.clock.Now(), certificateName(e), time.Time{}, e.At))
	}
	service := strings.TrimSuffix(c.PublicURL, "/") + "/wallet/apple"
	c.add(doctor.Service(service, c.Wallet.SelfMade))
	sample := face.Face{Kind: face.KindMember, Subject: uuid.UUID{1}, Locale: "en", Code: "TS1"}
	images, err := brand.Render(c.look, sample)
	if err != nil {
		c.add(doctor.Signs(0, err))
		return
	}
	c.add(doctor.Images(images)...)
	issuer, err := apple.New(apple.Options{Credentials: w.credentials, ServiceURL: serviceURL(c.PublicURL), Now: c.clock.Now})
	if err != nil {
		c.add(doctor.Signs(0, err))
		return
	}
	pass, err := issuer.Pass(apple.Request{Face: sample, Brand: c.look, Images: images, Serial: "doctor", AuthToken: "for-the-doctor-only"})
	c.add(doctor.Signs(len(pass), err))
}

// doctorsWord tells a finding of the certificates; false for what is told otherwise.
func doctorsWord(f apple.Finding) (doctor.Finding, bool) {
	level := doctor.Warn
	switch {
	case f.Code == "self_made" || f.Days > 0:
		return doctor.Finding{}, false
	case f.Severity >= apple.Critical:
		level = doctor.Error
	}
	code := doctor.AppleFiles
	if strings.Contains(f.Code, "expire") {
		code = doctor.AppleExpiry
	}
	return doctor.Say(code, level, f.Text), true
}

func (c *checkup) lookAtGoogle(w *walletFiles, err error) {
	if !c.Wallet.google() {
		return
	}
	if w.account == nil {
		c.add(doctor.Files(doctor.GoogleFiles, err, ""))
		return
	}
	c.add(doctor.Files(doctor.GoogleFiles, nil, fmt.Sprintf("the key of %s can be read", w.account)))
	c.add(doctor.Callback(strings.TrimSuffix(c.PublicURL, "/")+google.CallbackPath, c.Wallet.GoogleAPIURL != google.DefaultAPI))
}

// askAround asks those whom HQ depends on.
func (c *checkup) askAround(ctx context.Context, w *walletFiles) {
	health := strings.TrimSuffix(c.PublicURL, "/") + "/healthz"
	status, err := c.ask(ctx, health)
	if n := len(c.readings); err == nil && n > 0 && c.readings[n-1].Who == hostOf(c.PublicURL) {
		c.readings = c.readings[:n-1] // its clock may be our own
	}
	c.add(doctor.Reach(health, status, err))
	if w.credentials != nil {
		c.askPush(ctx, w)
	}
	if w.account != nil {
		c.askGoogle(ctx, w)
	}
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

// nobodysPhone is a push token that no phone has: a push service that knows who asks
// answers that it is bad.
var nobodysPhone = strings.Repeat("0", 64)

func (c *checkup) askPush(ctx context.Context, w *walletFiles) {
	sender, err := w.sender(c.Wallet, c.clock.Now)
	if err != nil {
		c.add(doctor.Push(c.Wallet.AppleAPNsURL, err))
		return
	}
	defer sender.Close()
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	switch r := sender.Push(ctx, nobodysPhone); r.Outcome {
	case apns.BadToken, apns.Sent, apns.Gone, apns.Throttled:
		c.add(doctor.Push(c.Wallet.AppleAPNsURL, nil))
	default:
		c.add(doctor.Push(c.Wallet.AppleAPNsURL, fmt.Errorf("%s", cmp.Or(r.Reason, string(r.Outcome)))))
	}
}

// askGoogle reads the programme's class, which need not be there yet.
func (c *checkup) askGoogle(ctx context.Context, w *walletFiles) {
	if _, err := c.ask(ctx, c.Wallet.GoogleAPIURL); err != nil {
		c.add(doctor.Token(w.account.Email, err))
		return
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	client := google.NewClient(google.ClientOptions{Account: *w.account, API: c.Wallet.GoogleAPIURL, HTTP: c.client, Now: c.clock.Now})
	var class struct{}
	err := client.Get(ctx, google.LoyaltyClasses, c.Wallet.GoogleIssuer+".doctor", &class)
	switch kind := google.KindOf(err); {
	case err == nil, kind == google.Missing:
		c.add(doctor.Token(w.account.Email, nil), doctor.Issuer(c.Wallet.GoogleIssuer, nil))
	case kind == google.Denied:
		c.add(doctor.Token(w.account.Email, nil), doctor.Issuer(c.Wallet.GoogleIssuer, err))
	default:
		c.add(doctor.Token(w.account.Email, err))
	}
}
