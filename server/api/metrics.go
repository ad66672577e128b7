package api

import (
	"context"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// metrics is HQ's own registry: nothing a library registers by itself gets in.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	now      func() time.Time
}

func newMetrics(o Options) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tallystick_hq_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"method", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tallystick_hq_request_seconds", Help: "Time to answer, long polls included.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route"}),
		now: o.Clock.Now,
	}
	m.registry.MustRegister(m.requests, m.seconds, &stateCollector{o}, &walletCollector{o: o}, &expiryCollector{o})
	return m
}

// observe counts a request when it has been answered, so it renders errors itself.
func (m *metrics) observe(c *fiber.Ctx) error {
	start := m.now()
	if err := c.Next(); err != nil {
		if err := c.App().ErrorHandler(c, err); err != nil {
			return err
		}
	}
	route := c.Route().Path
	m.requests.WithLabelValues(c.Method(), route, strconv.Itoa(c.Response().StatusCode())).Inc()
	m.seconds.WithLabelValues(c.Method(), route).Observe(m.now().Sub(start).Seconds())
	return nil
}

func (m *metrics) serve(c *fiber.Ctx) error {
	families, err := m.registry.Gather()
	if err != nil {
		return err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	c.Set(fiber.HeaderContentType, string(format))
	encoder := expfmt.NewEncoder(c.Response().BodyWriter(), format)
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			return err
		}
	}
	return nil
}

// stateCollector reads what HQ holds at the moment of a scrape.
type stateCollector struct{ o Options }

var (
	entriesDesc = prometheus.NewDesc("tallystick_hq_entries", "Entries of terminals, by what HQ did with them.", []string{"state"}, nil)
	lagDesc     = prometheus.NewDesc("tallystick_hq_apply_lag_seconds", "Age of the oldest entry not yet applied.", nil, nil)
	overdueDesc = prometheus.NewDesc("tallystick_hq_overdue_exceptions", "Exceptions that should have been settled by now.", nil, nil)
	cappedDesc  = prometheus.NewDesc("tallystick_hq_case_rules_stopped", "Rules that their cap has stopped for today.", nil, nil)
	openDesc    = prometheus.NewDesc("tallystick_hq_open_exceptions", "Exceptions nobody has settled.", nil, nil)
	worstDesc   = prometheus.NewDesc("tallystick_hq_exposure", "What can be lost at most, by unit: stand_in and taken_back together, and beside it what copied terminals could add (clones).", []string{"unit", "term"}, nil)
	lostDesc    = prometheus.NewDesc("tallystick_hq_lost", "What was overdrawn and still stands, by unit and cause.", []string{"unit", "cause"}, nil)
	owedDesc    = prometheus.NewDesc("tallystick_hq_liability", "What members are owed, by unit: spendable, reserved and unvested together are all of it; beside it overdraft and lapsed.", []string{"unit", "part"}, nil)
	fleetDesc   = prometheus.NewDesc("tallystick_hq_terminals", "Terminals, by state; online are a part of enrolled.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (s *stateCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{entriesDesc, lagDesc, openDesc, overdueDesc, cappedDesc, fleetDesc, worstDesc, lostDesc, owedDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. What cannot be read is left out as an
// invalid metric, so that the scrape fails and says so.
func (s *stateCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	status, err := s.o.Ledger.Status(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(entriesDesc, err)
		return
	}
	gauge(entriesDesc, float64(status.Accepted), "waiting")
	gauge(entriesDesc, float64(status.Applied), "applied")
	gauge(entriesDesc, float64(status.Parked), "parked")
	gauge(entriesDesc, float64(status.Quarantined), "quarantined")
	gauge(lagDesc, lag(status.OldestWait, s.o.Clock.Now()).Seconds())
	gauge(openDesc, float64(status.OpenExceptions))
	overdue, stopped, err := s.o.Cases.Backlog(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(overdueDesc, err)
		return
	}
	gauge(overdueDesc, float64(overdue))
	gauge(cappedDesc, float64(stopped))
	counts, err := s.o.Fleet.Counts(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(fleetDesc, err)
		return
	}
	gauge(fleetDesc, float64(counts.Enrolled), "enrolled")
	gauge(fleetDesc, float64(counts.Online), "online")
	gauge(fleetDesc, float64(counts.Quarantined), "quarantined")
	gauge(fleetDesc, float64(counts.Revoked), "revoked")
	owed, err := s.o.Liability.Owed(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(owedDesc, err)
		return
	}
	for unit, b := range owed {
		for part, n := range map[string]int64{"spendable": b.Spendable, "reserved": b.Reserved, "unvested": b.Unvested, "overdraft": b.Overdraft, "lapsed": b.Lapsed} {
			gauge(owedDesc, float64(n), unit, part)
		}
	}
	exposure, err := s.o.Rights.Exposure(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(worstDesc, err)
		return
	}
	for _, l := range exposure.Total() {
		gauge(worstDesc, float64(l.StandIn), l.Unit, "stand_in")
		gauge(worstDesc, float64(l.TakenBack), l.Unit, "taken_back")
		gauge(worstDesc, float64(l.Clones), l.Unit, "clones")
		for cause, n := range l.Lost {
			gauge(lostDesc, float64(n), l.Unit, string(cause))
		}
	}
}

// lag is how long ago a moment in Unix milliseconds was; zero is no moment.
func lag(oldest int64, now time.Time) time.Duration {
	if oldest == 0 {
		return 0
	}
	return max(0, now.Sub(time.UnixMilli(oldest)))
}
