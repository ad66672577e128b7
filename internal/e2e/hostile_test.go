package e2e

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"

	"github.com/tallystick/tallystick/internal/problem"
	"github.com/tallystick/tallystick/internal/testkit/stage"
	"github.com/tallystick/tallystick/sync/wire"
)

// send makes one call to HQ and returns the answer's code and header.
func (s *scene) send(t *testing.T, path string, header map[string]string, body io.Reader) (problem.Code, http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.HQ.URL()+path, body)
	must(t, err)
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	must(t, err)
	return problem.CodeOf(problem.Parse(resp.StatusCode, raw)), resp.Header
}

const tenMB = 10 << 20

func TestHQRefusesBodiesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	// The refusals do not depend on who asks: HQ bounds a body before it believes it.
	console := map[string]string{
		"Authorization": "Bearer " + s.Office.Token, "Idempotency-Key": "large-1", "Content-Type": "application/json",
	}
	push := map[string]string{"Content-Type": wire.ContentType}
	for _, c := range []struct {
		name, path string
		header     map[string]string
		body       []byte
		want       problem.Code
	}{
		{"10 MB", "/api/v1/members", console, []byte(`{"alias":"` + strings.Repeat("x", tenMB) + `"}`), problem.BodyTooLarge},
		{"10 MB", wire.PathPush, push, make([]byte, tenMB), problem.BodyTooLarge},
		{"a bomb", "/api/v1/members", with(console, "Content-Encoding", "zstd"), bomb(t), problem.UnsupportedMedia},
		{"a bomb without proof", wire.PathPush, with(push, "Content-Encoding", "zstd"), bomb(t), problem.ProofInvalid},
	} {
		if code, _ := s.send(t, c.path, c.header, bytes.NewReader(c.body)); code != c.want {
			t.Errorf("%s to %s: %q, want %q", c.name, c.path, code, c.want)
		}
	}
	// HQ goes on, and nothing of it was half done.
	_, err := s.Enrol(t.Context(), "Anna", 0)
	must(t, err)
}

func with(header map[string]string, name, value string) map[string]string {
	out := maps.Clone(header)
	out[name] = value
	return out
}

// A terminal of ours that sends a decompression bomb: proven, and refused before it
// is unpacked.
func TestHQRefusesADecompressionBomb(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	lane := s.lane(t, "lane1")
	small := bomb(t)
	if len(small) > wire.MaxBody {
		t.Fatalf("the bomb has %d bytes and would be refused for them", len(small))
	}
	must(t, lane.Stop(t.Context()))
	who := proverOf(t, lane)
	code := who.post(t, s, wire.PathPush, small)
	if code == problem.ProofNonce {
		code = who.post(t, s, wire.PathPush, small)
	}
	if code != problem.DecompressionBomb {
		t.Errorf("a bomb of %d bytes: %s", len(small), code)
	}
	must(t, lane.Start(t.Context()))
	must(t, lane.AwaitOnline(t.Context()))
	s.settle(t)
}

// prover signs requests as a terminal of ours does.
type prover struct {
	HQ       uuid.UUID `json:"hq"`
	Terminal uuid.UUID `json:"terminal"`
	Epoch    uint32    `json:"epoch"`
	KeyFile  string    `json:"key_file"`

	key   ed25519.PrivateKey
	nonce string
}

// proverOf reads the key of a lane that is down.
func proverOf(t *testing.T, lane *stage.Lane) *prover {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(lane.Data, "identity.json"))
	must(t, err)
	p := &prover{}
	must(t, json.Unmarshal(raw, p))
	raw, err = os.ReadFile(filepath.Join(lane.Data, p.KeyFile))
	must(t, err)
	seed, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(raw)))
	must(t, err)
	p.key = ed25519.NewKeyFromSeed(seed)
	return p
}

// post sends a compressed body with its proof, and keeps the nonce of the answer.
func (p *prover) post(t *testing.T, s *scene, path string, body []byte) problem.Code {
	t.Helper()
	proof, err := wire.Prove(p.key, wire.Proof{
		HQ: p.HQ, Terminal: p.Terminal, Epoch: p.Epoch, Method: http.MethodPost, Path: path,
		Nonce: p.nonce, ID: uuid.NewString(), IssuedAt: time.Now(), Body: body,
	})
	must(t, err)
	code, header := s.send(t, path, map[string]string{
		"Content-Type": wire.ContentType, "Content-Encoding": "zstd", wire.HeaderProof: proof,
	}, bytes.NewReader(body))
	p.nonce = header.Get(wire.HeaderNonce)
	return code
}

// bomb is a small zstd frame that inflates to 64 MiB.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	must(t, err)
	_, err = io.CopyN(w, zeros{}, 64<<20)
	must(t, err)
	must(t, w.Close())
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
