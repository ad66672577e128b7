package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/tallystick/tallystick/internal/problem"
)

// metrics holds the figures of one server.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.HistogramVec
}

// newMetrics registers the figures. Those of the Go runtime are left out: their
// package brings database/sql into the binary. status is asked at each scrape.
func newMetrics(registry *prometheus.Registry, status func(context.Context) (Status, error)) *metrics {
	m := &metrics{registry: registry, calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "tallystick_edge_call_seconds",
		Help:    "Time to answer a call of the local API.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, 1, 5},
	}, []string{"route", "method", "status"})}
	registry.MustRegister(m.calls, statusCollector{status})
	return m
}

// text returns all figures in Prometheus' text format.
func (m *metrics) text() (string, error) {
	families, err := m.registry.Gather()
	if err != nil {
		return "", fmt.Errorf("gather metrics: %w", err)
	}
	var out strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&out, family); err != nil {
			return "", fmt.Errorf("write metrics: %w", err)
		}
	}
	return out.String(), nil
}

// measure times every call by its route, never by its address: an id in a label
// would make one series per sale.
func (s *Server) measure(c *fiber.Ctx) error {
	began := s.cfg.Clock.Now()
	err := c.Next()
	status := c.Response().StatusCode()
	if err != nil {
		status = problem.Render(coded(err)).Status
	}
	route := c.Route().Path
	if route == "/" {
		route = "none"
	}
	s.metrics.calls.WithLabelValues(route, methodLabel(c.Method()), strconv.Itoa(status)).
		Observe(s.cfg.Clock.Now().Sub(began).Seconds())
	return err
}

func methodLabel(method string) string {
	switch method {
	case fiber.MethodGet, fiber.MethodPost:
		return method
	}
	return "other"
}

// statusCollector turns the status into gauges.
type statusCollector struct {
	status func(context.Context) (Status, error)
}

var gauges = []struct {
	desc  *prometheus.Desc
	value func(Status) float64
}{
	{gauge("online", "1 while HQ is in reach."), func(s Status) float64 { return truth(s.Online) }},
	{gauge("queue_entries", "Entries HQ has not acknowledged."), func(s Status) float64 { return float64(s.Queue) }},
	{gauge("head_seq", "The journal's last entry."), func(s Status) float64 { return float64(s.HeadSeq) }},
	{gauge("acked_seq", "The last entry HQ has acknowledged."), func(s Status) float64 { return float64(s.AckedSeq) }},
	{gauge("oldest_unsynced_seconds", "Age of the oldest entry HQ has not acknowledged."), func(s Status) float64 {
		return float64(value(s.OldestUnsyncedSeconds))
	}},
	{gauge("stand_in_points_left", "Points that may still be redeemed without HQ."), func(s Status) float64 { return float64(s.StandIn.PointsLeft) }},
	{gauge("rights_held", "Rights this terminal may redeem on without asking anybody."), func(s Status) float64 { return float64(s.Rights.Count) }},
	{gauge("exposure_points", "Points this terminal can cost at most."), func(s Status) float64 { return float64(s.Exposure.Points) }},
	{gauge("exposure_clone_points", "Points that copies of this terminal could cost at most."), func(s Status) float64 { return float64(s.Exposure.ClonePoints) }},
	{gauge("clock_trusted", "1 while the clock is trusted."), func(s Status) float64 { return truth(s.ClockTrusted) }},
	{gauge("clock_drift_ppm", "How much faster the monotonic clock runs than HQ's."), func(s Status) float64 { return value(s.Clock.DriftPpm) }},
	{gauge("witnessed", "1 when HQ or a lane has confirmed the journal's head since the start."), func(s Status) float64 { return truth(s.Witness.Confirmed) }},
	{gauge("contradicted", "1 when HQ or a lane holds another branch of the journal."), func(s Status) float64 { return truth(s.Witness.Contradicted) }},
	{gauge("disk_free_bytes", "Space free for the journal."), func(s Status) float64 { return float64(s.DiskFreeBytes) }},
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func gauge(name, help string) *prometheus.Desc {
	return prometheus.NewDesc("tallystick_edge_"+name, help, nil, nil)
}

// Describe implements prometheus.Collector.
func (statusCollector) Describe(out chan<- *prometheus.Desc) {
	for _, g := range gauges {
		out <- g.desc
	}
}

// Collect implements prometheus.Collector.
func (c statusCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	status, err := c.status(ctx)
	for _, g := range gauges {
		if err != nil {
			out <- prometheus.NewInvalidMetric(g.desc, err)
			continue
		}
		out <- prometheus.MustNewConstMetric(g.desc, prometheus.GaugeValue, g.value(status))
	}
}
