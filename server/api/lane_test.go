package api_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/tallystick/tallystick/internal/clock"
	"github.com/tallystick/tallystick/internal/keys"
	"github.com/tallystick/tallystick/sync/entry"
	"github.com/tallystick/tallystick/sync/journal"
	"github.com/tallystick/tallystick/sync/wire"
)

// lane is a terminal as HQ sees one: it keeps its journal in memory.
type lane struct {
	r       *rig
	id      uuid.UUID
	code    string
	signer  keys.Signer
	epoch   uint32
	store   uuid.UUID
	nonce   string
	entries [][]byte
}

func (r *rig) newTerminal(store, name string) *lane {
	r.t.Helper()
	a := r.do(call{method: "POST", path: "/api/v1/terminals", body: jsonOf(map[string]string{"store": store, "name": name})})
	var out struct {
		Terminal  struct{ ID, Store uuid.UUID }
		Enrolment struct{ Code string }
	}
	a.into(r.t, &out)
	return &lane{r: r, id: out.Terminal.ID, store: out.Terminal.Store, code: out.Enrolment.Code}
}

func (l *lane) newKey(seed byte) {
	signer, err := keys.NewSigner(keys.Public{ID: 1}, bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	l.r.must(err)
	l.signer = signer
}

func (l *lane) enrolRequest() []byte {
	public := []byte(l.signer.Public.Key)
	raw, err := wire.Marshal(wire.EnrolRequest{
		V: wire.Version, Code: l.code, PublicKey: public, Software: "test",
		Signature: l.signer.Sign(wire.DomainEnrol, append([]byte(l.code), public...)),
	})
	l.r.must(err)
	return raw
}

// enrol makes a key from the seed and enrols with the code the lane has.
func (l *lane) enrol(seed byte) answer {
	l.r.t.Helper()
	l.newKey(seed)
	a := l.raw("POST", wire.PathEnrol, l.enrolRequest(), nil)
	if a.status == http.StatusOK {
		got, err := wire.Unmarshal[wire.Enrolment](a.body)
		l.r.must(err)
		l.epoch = got.Epoch
	}
	return a
}

// raw sends bytes to the wire as CBOR.
func (l *lane) raw(method, path string, body []byte, header map[string]string) answer {
	l.r.t.Helper()
	req, err := http.NewRequest(method, l.r.base+path, bytes.NewReader(body))
	l.r.must(err)
	if body != nil {
		req.Header.Set("Content-Type", wire.ContentType)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	l.r.must(err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	l.r.must(err)
	if nonce := resp.Header.Get(wire.HeaderNonce); nonce != "" {
		l.nonce = nonce
	}
	return answer{resp.StatusCode, resp.Header, got}
}

func (l *lane) proof(change func(*wire.Proof), method, path string, body []byte) string {
	p := wire.Proof{
		HQ: l.r.hq, Terminal: l.id, Epoch: l.epoch, Method: method, Path: path,
		Nonce: l.nonce, ID: uuid.NewString(), IssuedAt: l.r.clock.Now(), Body: body,
	}
	if change != nil {
		change(&p)
	}
	text, err := wire.Prove(l.signer.Private(), p)
	l.r.must(err)
	return text
}

// proven sends a request with a proof, compressed, as a lane does.
func (l *lane) proven(method, path string, body []byte) answer {
	l.r.t.Helper()
	header := map[string]string{}
	if body != nil {
		body = wire.Compress(body)
		header["Content-Encoding"] = "zstd"
	}
	header[wire.HeaderProof] = l.proof(nil, method, path, body)
	return l.raw(method, path, body, header)
}

func (l *lane) add(kind entry.Kind, body any) {
	l.r.t.Helper()
	now := l.r.clock.Now()
	raw, err := entry.Encode(entry.Entry{
		HLC: clock.NewStamp(now, uint16(len(l.entries))), OccurredAt: now.UnixMilli(), BusinessDate: entry.DateOf(now), Kind: kind,
	}, body)
	l.r.must(err)
	l.entries = append(l.entries, raw)
}

// batch is the lane's whole journal as one batch.
func (l *lane) batch() []byte {
	l.r.t.Helper()
	w := journal.Writer{ID: l.id, Epoch: l.epoch}
	heads := journal.HashRun(w, journal.Head{}, l.entries)
	head := journal.Head{Seq: uint64(len(heads)), Hash: heads[len(heads)-1]}
	cp := journal.SignCheckpoint(l.signer, w, 1, head)
	raw, err := wire.Marshal(wire.Batch{
		V: wire.Version, Terminal: l.id, Epoch: l.epoch, First: 1, Prev: make([]byte, 32),
		Entries: l.entries, Head: head.Hash[:], Signature: cp.Signature,
	})
	l.r.must(err)
	return raw
}

// enrolledLane is a lane with its first entry written, and HQ's nonce known.
func (r *rig) enrolledLane(name string, seed byte) *lane {
	r.t.Helper()
	store := r.made("/api/v1/stores", strings.Replace(storeBody, "s1", name, 1))
	l := r.newTerminal(store, name)
	if a := l.enrol(seed); a.status != http.StatusOK {
		r.t.Fatalf("enrol: %d %s", a.status, a.body)
	}
	l.add(entry.KindEnrolled, entry.Enrolled{
		Terminal: l.id, Store: l.store, Epoch: l.epoch, PublicKey: l.signer.Public.Key, HQ: r.hq, Software: "test",
	})
	return l
}

func (l *lane) statement() keys.Set { return keys.Set{Keys: []keys.Public{l.r.sign[0].Public}} }
