package api

import "github.com/prometheus/client_golang/prometheus"

var expiryDesc = prometheus.NewDesc("tallystick_hq_wallet_certificate_expiry_seconds", "When a certificate of the wallets ends, in Unix seconds.", []string{"certificate"}, nil)

// expiryCollector reads when certificates end.
type expiryCollector struct{ o Options }

// Describe implements prometheus.Collector.
func (e *expiryCollector) Describe(ch chan<- *prometheus.Desc) { ch <- expiryDesc }

// Collect implements prometheus.Collector.
func (e *expiryCollector) Collect(ch chan<- prometheus.Metric) {
	if e.o.Expiry == nil {
		return
	}
	for _, c := range e.o.Expiry.Certificates() {
		ch <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(c.EndsAt.Unix()), c.Name)
	}
}
