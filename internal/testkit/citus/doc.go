// Package citus gives tests a schema of their own on a Citus cluster that somebody
// has started: TALLYSTICK_TEST_CITUS names the address of its coordinator.
//
// It promises that the schema is removed when the test ends, and skips the test
// aloud where no cluster is named. It must never be imported by anything that ships.
package citus
