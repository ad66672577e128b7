package benchtable

import (
	"fmt"
	"os"
	"strconv"
)

// Setting reads how large a part of a benchmark is to be from the environment: a number
// above zero, usual where name is not set.
func Setting(name string, usual int) (int, error) {
	text := os.Getenv(name)
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s is %q, not a number above zero", name, text)
	}
	return n, nil
}
