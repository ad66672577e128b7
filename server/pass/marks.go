package pass

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// marksKept bounds the marks that wait to be written; a round writes them each second.
const marksKept = 100_000

// marks gathers how far passes have come, so that a fetch writes nothing by itself. A
// crash loses the last second of them: figures, and nothing that a phone rests on.
type marks struct {
	mu   sync.Mutex
	news map[Key]Marks
}

func newMarks() *marks { return &marks{news: map[Key]Marks{}} }

// add notes news; beyond marksKept it is dropped.
func (m *marks) add(k Key, news Marks) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, known := m.news[k]
	if !known && len(m.news) >= marksKept {
		return
	}
	m.news[k] = was.with(news)
}

func (m *marks) take() []Mark {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make([]Mark, 0, len(m.news))
	for k, v := range m.news {
		out = append(out, Mark{k, v})
	}
	m.news = map[Key]Marks{}
	return out
}

// with is marks after later ones.
func (m Marks) with(news Marks) Marks {
	if news.FetchedTag > m.FetchedTag {
		m.FetchedTag, m.Lag = news.FetchedTag, news.Lag
	}
	m.InstalledAt = later(m.InstalledAt, news.InstalledAt)
	m.PushedAt = later(m.PushedAt, news.PushedAt)
	m.ListedAt = later(m.ListedAt, news.ListedAt)
	m.FetchedAt = later(m.FetchedAt, news.FetchedAt)
	return m
}

// lastMarks brings the marks of each pass together, in the order of keys that all
// writers keep.
func lastMarks(all []Mark) []Mark {
	slices.SortStableFunc(all, func(a, b Mark) int { return compareKeys(a.Key, b.Key) })
	out := all[:0]
	for _, m := range all {
		if n := len(out); n > 0 && out[n-1].Key == m.Key {
			out[n-1].Marks = out[n-1].with(m.Marks)
			continue
		}
		out = append(out, m)
	}
	return out
}

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Shard, b.Shard), slices.Compare(a.ID[:], b.ID[:]))
}

// Flush writes the marks that wait.
func (s *Service) Flush(ctx context.Context) error {
	news := s.marks.take()
	if len(news) == 0 {
		return nil
	}
	if err := s.o.Store.MarkPasses(ctx, lastMarks(news)); err != nil {
		for _, m := range news {
			s.marks.add(m.Key, m.Marks)
		}
		return fmt.Errorf("write marks: %w", err)
	}
	return nil
}
