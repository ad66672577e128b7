package api

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tallystick/tallystick/server/pass"
)

// walletCollector reads what passes wait for. It counts all passes, which takes seconds
// where there are millions, so it counts once a minute, however often it is asked.
type walletCollector struct {
	o Options

	mu      sync.Mutex
	counted time.Time
	last    pass.Figures
}

const (
	countEvery = time.Minute
	countTime  = 30 * time.Second
)

var (
	pushesDesc = prometheus.NewDesc("tallystick_hq_pass_pushes", "Phones and objects of channels that are to be told of a change; failing are those that were tried before, a part of waiting.", []string{"state"}, nil)
	signedDesc = prometheus.NewDesc("tallystick_hq_passes_signed_total", "Passes that this process has signed.", nil, nil)
	stagesDesc = prometheus.NewDesc("tallystick_hq_passes", "Passes, by channel and how far they have come.", []string{"channel", "stage"}, nil)
	googleDesc = prometheus.NewDesc("tallystick_hq_google_answers_total", "Requests to Google Wallet, by the status of the answer; none is without one.", []string{"status"}, nil)
)

// Describe implements prometheus.Collector.
func (w *walletCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{pushesDesc, signedDesc, stagesDesc, googleDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (w *walletCollector) Collect(ch chan<- prometheus.Metric) {
	if w.o.Google != nil {
		for status, n := range w.o.Google.Answers() {
			ch <- prometheus.MustNewConstMetric(googleDesc, prometheus.CounterValue, float64(n), status)
		}
	}
	if w.o.Passes == nil {
		return
	}
	f, err := w.figures()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(pushesDesc, err)
		return
	}
	gauge := func(d *prometheus.Desc, n int64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(pushesDesc, f.Waiting, "waiting")
	gauge(pushesDesc, f.Failing, "failing")
	ch <- prometheus.MustNewConstMetric(signedDesc, prometheus.CounterValue, float64(f.Signed))
	for _, s := range f.Stages {
		channel := s.Channel.String()
		for stage, n := range map[string]int64{
			"issued": s.Issued, "installed": s.Installed, "pushed": s.Pushed, "listed": s.Listed, "fetched": s.Fetched, "voided": s.Voided,
		} {
			gauge(stagesDesc, n, channel, stage)
		}
	}
}

func (w *walletCollector) figures() (pass.Figures, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.o.Clock.Now()
	if since := now.Sub(w.counted); !w.counted.IsZero() && since >= 0 && since < countEvery {
		return w.last, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	f, err := w.o.Passes.Figures(ctx, 24*time.Hour)
	if err == nil {
		w.last, w.counted = f, now
	}
	return f, err
}
