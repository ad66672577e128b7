package people

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPasswordHash(t *testing.T) {
	random := bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4}, 64))
	hash, err := hashPassword(random, "correct horse")
	if err != nil {
		t.Fatal(err)
	}
	other, err := hashPassword(bytes.NewReader(bytes.Repeat([]byte{9}, 64)), "correct horse")
	if err != nil || hash == other || !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%v: %s, %s", err, hash, other)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horse ": false, "": false} {
		if ok, err := checkPassword(hash, password); err != nil || ok != want {
			t.Errorf("%q: %t, %v", password, ok, err)
		}
	}
	for _, broken := range []string{"", "x", "$argon2id$v=18$m=1,t=1,p=1$AA$AA", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=19$m=8,t=1,p=1$!$AA", "$argon2id$v=19$m=8,t=1,p=1$AA$"} {
		if ok, err := checkPassword(broken, "x"); ok || err == nil {
			t.Errorf("%q: %t, %v", broken, ok, err)
		}
	}
}

func TestThrottleDoublesForgetsAndStaysBounded(t *testing.T) {
	var th Throttle
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, want := range []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second} {
		th.Fail("k", 3, now)
		if got := th.Wait("k", now); got != want {
			t.Errorf("after %d failures: wait %s, want %s", i+1, got, want)
		}
	}
	for range 20 {
		th.Fail("k", 3, now)
	}
	if got := th.Wait("k", now); got != longestWait {
		t.Errorf("wait %s, at most %s", got, longestWait)
	}
	later := now.Add(forgetAfter + time.Second)
	if th.Fail("k", 3, later); th.Wait("k", later) != 0 {
		t.Error("old failures still count")
	}
	for i := range maxTracked + 100 {
		th.Fail(fmt.Sprint(i), 3, later.Add(time.Duration(i)*time.Millisecond))
	}
	if len(th.tries) > maxTracked {
		t.Errorf("%d names are tracked, at most %d", len(th.tries), maxTracked)
	}
	if _, kept := th.tries[fmt.Sprint(maxTracked+99)]; !kept {
		t.Error("the newest failure was forgotten first")
	}
}

func TestEveryRoleMayLookAndOnlyAdministratorsMayAll(t *testing.T) {
	areas := []Area{AreaLook, AreaProgramme, AreaRisk, AreaMembers, AreaFleet, AreaCases}
	for _, role := range []Role{Administrator, Finance, Marketing, Operations, Support} {
		all := true
		for _, area := range areas {
			all = all && role.May(area)
		}
		if !role.Known() || !role.May(AreaLook) || all != (role == Administrator) {
			t.Errorf("%s: looks %t, all %t", role, role.May(AreaLook), all)
		}
	}
	if Role("owner").Known() || Role("").May(AreaLook) || Administrator.May("") {
		t.Error("an unknown role or area is let in")
	}
}
