// Package cache keeps the till's derived state in Badger.
package cache
