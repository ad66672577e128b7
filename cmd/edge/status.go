package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tallystick/tallystick/internal/problem"
)

type statusCommand struct {
	Address string `help:"Address of the running agent." default:"http://127.0.0.1:7070"`
}

// Run prints the running agent's status, indented.
func (c statusCommand) Run(ctx context.Context, p *program, s std) error {
	token, err := readToken(p.Data)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Address+"/v1/status", http.NoBody)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("ask agent: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return problem.Parse(resp.StatusCode, raw)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return fmt.Errorf("read agent's answer: %w", err)
	}
	_, err = fmt.Fprintln(s.out, out.String())
	return err
}
