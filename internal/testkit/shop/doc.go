// Package shop is a store over an HQ in memory whose lanes close their days, as terminals
// do, and whose days are certified. It must never be imported by anything that ships.
package shop
