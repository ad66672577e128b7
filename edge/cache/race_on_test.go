//go:build race

package cache_test

// raceEnabled says that times mean nothing.
const raceEnabled = true
