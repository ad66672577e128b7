package journal

import (
	"context"
	"testing"
	"time"
)

// BenchmarkPaired takes turns, 100 groups each, between the journal and the raw file
// that preallocates as it goes, so that the disk's moods meet both. ratio is the
// journal's rate over the raw one's.
func BenchmarkPaired(b *testing.B) {
	for name, entries := range map[string]int{"1": 1, "100": 100} {
		b.Run(name, func(b *testing.B) {
			j, r := benchJournal(b), newRaw(b, entries, false)
			batch := make([][]byte, entries)
			for i := range batch {
				batch[i] = make([]byte, benchEntry)
			}
			var mine, raw time.Duration
			for b.Loop() {
				start := time.Now()
				for range 100 {
					if _, err := j.AppendAll(context.Background(), batch); err != nil {
						b.Fatal(err)
					}
				}
				middle := time.Now()
				for range 100 {
					r.write()
				}
				mine += middle.Sub(start)
				raw += time.Since(middle)
			}
			b.ReportMetric(float64(mine.Microseconds())/float64(b.N)/100, "journal-us")
			b.ReportMetric(float64(raw.Microseconds())/float64(b.N)/100, "raw-us")
			b.ReportMetric(raw.Seconds()/mine.Seconds(), "ratio")
		})
	}
}
