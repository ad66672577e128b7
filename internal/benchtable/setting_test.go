package benchtable

import "testing"

func TestSetting(t *testing.T) {
	const name = "TALLYSTICK_BENCH_OF_THIS_TEST"
	for text, want := range map[string]int{"": 7, "12": 12} {
		t.Setenv(name, text)
		if got, err := Setting(name, 7); err != nil || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"0", "-1", "many", "1.5"} {
		t.Setenv(name, text)
		if got, err := Setting(name, 7); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
}
