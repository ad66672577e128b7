package people

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTheLogKeepsNumbersAndWordsThatAreNobodys(t *testing.T) {
	for body, want := range map[string]string{
		"":        "",
		"no json": "",
		`{"unit":"points","amount":-50,"reason":"goodwill"}`:                "amount=-50 reason=goodwill unit=points",
		`{"alias":"Ann Smith","reference":"C-1"}`:                           "alias=… reference=…",
		`{"password":"correct horse battery"}`:                              "password=…",
		`{"comment":"=1+1","owner":"0192f0a0-0000-7000-8000-000000000001"}`: "comment=… owner=0192f0a0-0000-7000-8000-000000000001",
		`{"rows":[1,2,3],"rights":{"cap":1},"partly":true}`:                 "partly=true rights={…} rows=[3]",
		`{"reason":"a\nb c"}`:                                               "reason=a_b_c",
	} {
		if got := Kept([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestWhatTheLogKeepsIsBounded(t *testing.T) {
	long := `{"` + strings.Repeat("ü", 5000) + `":1,"reason":"` + strings.Repeat("ş", 5000) + `"}`
	if got := Kept([]byte(long)); len(got) > maxDetail+len("…") || !utf8.ValidString(got) {
		t.Errorf("%d bytes", len(got))
	}
}
