package pass

import (
	"container/list"
	"sync"
)

// cache keeps signed passes by what they say, those that were asked for last, up to a
// number of bytes.
type cache struct {
	most int

	mu    sync.Mutex
	size  int
	order *list.List // of *signedPass, the newest first
	found map[content]*list.Element
}

// content is what a signed pass was made of.
type content struct {
	Key
	digest [32]byte
	look   uint64
}

type signedPass struct {
	of   content
	body []byte
}

func newCache(most int) *cache {
	return &cache{most: most, order: list.New(), found: map[content]*list.Element{}}
}

func (c *cache) get(of content) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.found[of]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*signedPass).body, true
}

func (c *cache) put(of content, body []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.found[of]; there || len(body) > c.most {
		return
	}
	c.found[of] = c.order.PushFront(&signedPass{of, body})
	c.size += len(body)
	for c.size > c.most {
		last := c.order.Back()
		old := c.order.Remove(last).(*signedPass)
		delete(c.found, old.of)
		c.size -= len(old.body)
	}
}
