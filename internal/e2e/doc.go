// Package e2e tells the product's stories with the real binaries: sales, cuts,
// crashes, power cuts, full and damaged disks, and what HQ's ledger says afterwards.
//
// It promises that acknowledgements are counted by the test's own process, and
// only those read before a fault began; and that each fault class has a broken
// build or a broken disk that the test is seen to catch.
//
// It must never be imported, and holds no code that ships.
package e2e
