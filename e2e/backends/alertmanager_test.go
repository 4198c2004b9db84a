// Package backends sends from the built distribution to real servers, Prometheus, Alertmanager, InfluxDB and a second Collector, and asks
// them what arrived.
package backends

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// pager is where Alertmanager sends its notifications.
type pager struct {
	*httptest.Server
	mu   sync.Mutex
	seen map[string]string
}

// newPager notes what it is notified of, for each alert and severity in order, such as "memory warning": "firing resolved".
func newPager(t *testing.T) *pager {
	t.Helper()
	p := &pager{seen: map[string]string{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, a := range message.Alerts {
			alert := a.Labels["alertname"] + " " + a.Labels["severity"]
			p.seen[alert] = strings.TrimSpace(p.seen[alert] + " " + a.Status)
		}
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *pager) notifications() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.seen)
}

// alertServer is an Alertmanager that notifies of every alert by itself, at once.
type alertServer struct {
	program, dir, address string
	*pager
}

func newAlertServer(t *testing.T) *alertServer {
	t.Helper()
	s := &alertServer{
		program: harness.LookServer(t, "prometheus-alertmanager"), dir: t.TempDir(), address: fmt.Sprintf("127.0.0.1:%d", harness.FreePort(t)), pager: newPager(t),
	}
	config := fmt.Sprintf(`
route: {receiver: pager, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - {name: pager, webhook_configs: [{url: '%s', send_resolved: true}]}
`, s.URL)
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "alertmanager.yml"), []byte(config), 0o600))
	return s
}

func (s *alertServer) start(t *testing.T) *harness.Process {
	t.Helper()
	return harness.StartServer(t, s.dir, "http://"+s.address+"/-/ready", s.program,
		"--config.file=alertmanager.yml", "--storage.path=data", "--web.listen-address="+s.address, "--cluster.listen-address=")
}

// heldAlert is an alert as Alertmanager shows it.
type heldAlert struct {
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
	Status              struct{ State string }
}

func (s *alertServer) active() ([]heldAlert, error) {
	var alerts []heldAlert
	err := harness.GetJSON("http://"+s.address+"/api/v2/alerts?active=true", &alerts)
	return alerts, err
}

// until waits for the active alerts to be those of the given severities, and returns them.
func (s *alertServer) until(t *testing.T, what string, severities ...string) []heldAlert {
	t.Helper()
	var alerts []heldAlert
	harness.Eventually(t, what, func() error {
		var err error
		if alerts, err = s.active(); err != nil {
			return err
		}
		var got []string
		for _, a := range alerts {
			got = append(got, a.Labels["severity"])
		}
		if fmt.Sprint(got) != fmt.Sprint(severities) {
			return fmt.Errorf("active are %v", got)
		}
		return nil
	})
	return alerts
}

// until waits for the notifications to be these.
func (p *pager) until(t *testing.T, want map[string]string) {
	t.Helper()
	harness.Eventually(t, "the notifications", func() error {
		if got := p.notifications(); !maps.Equal(got, want) {
			return fmt.Errorf("they are %q", got)
		}
		return nil
	})
}

// alerting is a collector that gets the use of memory over OTLP and raises the alerts of the preset.
type alerting struct {
	port   int
	config string
}

func newAlerting(t *testing.T, s *alertServer) *alerting {
	t.Helper()
	port := harness.FreePort(t)
	return &alerting{port: port, config: fmt.Sprintf(`
receivers:
  otlp: {protocols: {http: {endpoint: 127.0.0.1:%d}}}
connectors:
  alert: {preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}, storage: file_storage}
exporters:
  alertmanager:
    endpoint: http://%s
    resend_interval: 1s
    storage: file_storage
    retry_on_failure: {initial_interval: 100ms, max_interval: 1s}
    labels: {cluster: lab}
extensions:
  file_storage: {directory: state, create_directory: true}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert]}
    logs/alerts: {receivers: [alert], exporters: [alertmanager]}
`, port, s.address)}
}

// uses reports a use of memory, from 0 to 1, until the collector takes it.
func (a *alerting) uses(t *testing.T, share float64) {
	t.Helper()
	body := fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[
{"key":"host.name","value":{"stringValue":"db1"}},{"key":"os.description","value":{"stringValue":"Debian"}}]},
"scopeMetrics":[{"metrics":[{"name":"system.memory.utilization","unit":"1","gauge":{"dataPoints":[
{"asDouble":%v,"timeUnixNano":"%d","attributes":[{"key":"system.memory.state","value":{"stringValue":"used"}}]}]}}]}]}]}`,
		share, time.Now().UnixNano())
	harness.Eventually(t, "the collector takes a metric", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/v1/metrics", a.port), strings.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := harness.Client.Do(req)
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
}

func TestAlertmanagerHoldsTheAlert(t *testing.T) {
	s := newAlertServer(t)
	harness.Binary(t)
	am := s.start(t)
	a, dir := newAlerting(t, s), t.TempDir()
	c := harness.Start(t, dir, a.config)

	a.uses(t, 0.9)
	got := s.until(t, "the alert is active", "warning")[0]
	assert.Len(t, got.Labels["alert_id"], 16)
	delete(got.Labels, "alert_id")
	assert.Equal(t, map[string]string{
		"alertname": "memory", "severity": "warning", "host_name": "db1", "instance": "db1", "cluster": "lab",
	}, got.Labels)
	assert.Equal(t, "memory on db1 is 90.0% used (> 85.0%)", got.Annotations["summary"])
	assert.Equal(t, "0.9", got.Annotations["value"])
	s.pager.until(t, map[string]string{"memory warning": "firing"})

	// It stays one alert, and active beyond the end, four seconds later, that Alertmanager was sent at first.
	a.uses(t, 0.91)
	harness.Eventually(t, "the alert is sent again", func() error {
		alerts, err := s.active()
		if err != nil || len(alerts) != 1 || !time.Now().After(got.EndsAt) {
			return fmt.Errorf("%d active, %w", len(alerts), err)
		}
		return nil
	})

	a.uses(t, 0.97)
	critical := s.until(t, "the old severity gives way to the new", "critical")[0]
	assert.Equal(t, "db1", critical.Labels["host_name"])
	s.pager.until(t, map[string]string{"memory warning": "firing resolved", "memory critical": "firing"})

	// A restart of the collector goes on where it was.
	killed := time.Now()
	require.Error(t, c.Stop(t, os.Kill))
	harness.Start(t, dir, a.config)
	harness.Eventually(t, "the alert is sent again after a kill", func() error {
		alerts, err := s.active()
		if err != nil || len(alerts) != 1 || !alerts[0].EndsAt.After(killed.Add(5*time.Second)) {
			return fmt.Errorf("%v, %w", alerts, err)
		}
		return nil
	})

	// A restart of Alertmanager, which forgets alerts but not what it notified of.
	require.NoError(t, am.Stop(t, syscall.SIGTERM))
	s.start(t)
	s.until(t, "the alert is sent again to a new Alertmanager", "critical")

	a.uses(t, 0.3)
	s.until(t, "no alert is active")
	want := map[string]string{"memory warning": "firing resolved", "memory critical": "firing resolved"}
	s.pager.until(t, want)

	// Ends are said again, and change nothing.
	requests := time.Now().Add(3 * time.Second)
	harness.Eventually(t, "three more intervals", func() error {
		if time.Now().Before(requests) {
			return errors.New("not yet")
		}
		return nil
	})
	assert.Equal(t, want, s.notifications())
}

func TestAlertmanagerThatComesLater(t *testing.T) {
	s := newAlertServer(t)
	harness.Binary(t)
	a := newAlerting(t, s)
	c := harness.Start(t, t.TempDir(), a.config)
	a.uses(t, 0.9)
	c.AwaitOutput(t, "Alertmanager takes no alerts")
	a.uses(t, 0.97)
	s.start(t)
	s.until(t, "only what is true now arrives", "critical")
	s.pager.until(t, map[string]string{"memory critical": "firing"})
	a.uses(t, 0.3)
	s.until(t, "no alert is active")
	s.pager.until(t, map[string]string{"memory critical": "firing resolved"})
}
