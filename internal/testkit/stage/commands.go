package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The command lines of both programs, in one place.

// Admin is the name of the first administrator.
const Admin = "admin"

func hqInit(data string) []string { return []string{"init", "--data", data, "--admin", Admin} }

func hqServe(data, addr string) []string {
	return []string{"serve", "--data", data, "--listen", addr}
}

func hqVerify(data string) []string { return []string{"verify", "--data", data} }

func hqImport(data, file string) []string { return []string{"import", "--data", data, file} }

func edgeEnroll(data, hq string) []string {
	return []string{"enroll", "--data", data, "--hq", hq, "--code-file", "-"}
}

// edgeRun has the lane try again soon, since a story waits for it.
func edgeRun(data, addr string) []string {
	return []string{"run", "--data", data, "--listen", addr, "--backoff-limit", "1s"}
}

// edgeLAN leaves mDNS out: stories of other tests run on the same machine.
func edgeLAN(lan string, others []string) []string {
	args := []string{"--lan", lan, "--no-discover"}
	for _, other := range others {
		args = append(args, "--lane", other)
	}
	return args
}

func edgeSandbox() []string { return []string{"run", "--sandbox", "--listen", "127.0.0.1:0"} }

func edgeExport(data, file string) []string { return []string{"export", "--data", data, "--out", file} }

// ready recognises the machine-readable line of either program.
func ready(line []byte) bool {
	var said struct {
		Ready bool `json:"ready"`
	}
	return bytes.HasPrefix(line, []byte("{")) && json.Unmarshal(line, &said) == nil && said.Ready
}

// passwordOf reads what `hq init` printed about the first administrator.
func passwordOf(printed []byte) (string, error) {
	for line := range bytes.Lines(printed) {
		var said struct {
			Password string `json:"password"`
		}
		if json.Unmarshal(line, &said) == nil && said.Password != "" {
			return said.Password, nil
		}
	}
	return "", fmt.Errorf("read administrator's password: none in %q", printed)
}
