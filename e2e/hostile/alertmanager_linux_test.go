package hostile

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// alertmanager is a server that takes alerts, and remembers of each host whether its alert is active.
type alertmanager struct {
	*httptest.Server
	mu     sync.Mutex
	active map[string]bool                               // By the label instance: false once it has ended.
	asked  int                                           // Requests.
	header http.Header                                   // Of the last request.
	answer func(http.ResponseWriter, *http.Request) bool // What to do instead; true when it was done.
}

func newAlertmanager(t *testing.T) *alertmanager {
	t.Helper()
	am := &alertmanager{active: map[string]bool{}}
	am.Server = httptest.NewServer(am)
	t.Cleanup(am.Close)
	return am
}

func (am *alertmanager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.asked++
	am.header = r.Header.Clone()
	if am.answer != nil && am.answer(w, r) {
		return
	}
	var alerts []struct {
		Labels map[string]string `json:"labels"`
		EndsAt time.Time         `json:"endsAt"`
	}
	if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, a := range alerts {
		am.active[a.Labels["instance"]] = a.EndsAt.After(time.Now())
	}
}

// hosts are those of which it has heard, and whether the alert of each is active.
func (am *alertmanager) hosts() map[string]bool {
	am.mu.Lock()
	defer am.mu.Unlock()
	return maps.Clone(am.active)
}

func (am *alertmanager) does(answer func(http.ResponseWriter, *http.Request) bool) {
	am.mu.Lock()
	defer am.mu.Unlock()
	am.answer = answer
}

func (am *alertmanager) await(t *testing.T, host string) {
	t.Helper()
	harness.Eventually(t, host+" is active", func() error {
		if hosts := am.hosts(); !hosts[host] {
			return fmt.Errorf("so far there is %v", hosts)
		}
		return nil
	})
}

// sendHighLoad sends a value with which the rule "load" fires, as soon as there is a receiver.
func sendHighLoad(t *testing.T, address, host string) {
	t.Helper()
	harness.Eventually(t, "the receiver takes a value", func() error { return harness.PostMetrics(t.Context(), address, loadOf(host, 9)) })
}

// loadOf is a host's value of the metric that the rule "load" looks at.
func loadOf(host string, v float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", host)
	gauge(rm.ScopeMetrics().AppendEmpty(), "load", "", v)
	return md
}

// sendUntilQuiet sends values that are no alert, until none of the hosts has an active one at any of the servers.
func sendUntilQuiet(t *testing.T, address string, hosts []string, servers ...*alertmanager) {
	t.Helper()
	harness.Eventually(t, "no alert is active", func() error {
		for _, host := range hosts {
			if err := harness.PostMetrics(t.Context(), address, loadOf(host, 1)); err != nil {
				return err
			}
		}
		for _, am := range servers {
			if active := am.hosts(); slices.ContainsFunc(hosts, func(host string) bool { return active[host] }) {
				return fmt.Errorf("so far there is %v", active)
			}
		}
		return nil
	})
}
