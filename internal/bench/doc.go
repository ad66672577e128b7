// Package bench measures the product against the limits of the machine it runs on,
// taken in the same run: medians of five, one table, one JSON file.
//
// It promises that every figure names its baseline, that baseline and measurement
// take turns, and that a missed target fails the run.
//
// It must never be imported, and measures nothing unless TALLYSTICK_BENCH is set.
package bench
