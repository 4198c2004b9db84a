package lifecycle

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service"
	"go.opentelemetry.io/collector/service/pipelines"
	"go.opentelemetry.io/collector/service/telemetry"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector"
	"github.com/otelcol-psutil/otelcol-psutil/alertprocessor"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

var (
	sourceType = component.MustNewType("source")
	targetType = component.MustNewType("target")
	alertType  = component.MustNewType("alert")
)

// source is a receiver that feeds metrics from its start until it has stopped; in logs pipelines it does nothing.
type source struct {
	next consumer.Metrics
	rng  *rand.Rand
	stop chan struct{}
	done sync.WaitGroup
}

func (s *source) Start(context.Context, component.Host) error {
	if s.next == nil {
		return nil
	}
	s.done.Go(func() {
		for {
			if s.next.ConsumeMetrics(context.Background(), gauge(s.rng.Float64()*120)) != nil {
				return
			}
			select {
			case <-s.stop:
				return
			case <-time.After(time.Duration(1+s.rng.IntN(2000)) * time.Millisecond):
			}
		}
	})
	return nil
}

func (s *source) Shutdown(context.Context) error {
	if s.next != nil {
		close(s.stop)
	}
	s.done.Wait()
	return nil
}

func gauge(value float64) pmetric.Metrics {
	md := pmetric.NewMetrics()
	m := md.ResourceMetrics().AppendEmpty().ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(value)
	return md
}

// target collects what one logs pipeline exports. What comes while it is not running is lost, as with any exporter.
type target struct {
	name    string
	mu      sync.Mutex
	running bool
	early   int
	records [][2]string // log.record.uid and alert.transition.
}

func (g *target) Start(context.Context, component.Host) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = true
	return nil
}

func (g *target) Shutdown(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = false
	return nil
}

func (*target) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (*target) ConsumeMetrics(context.Context, pmetric.Metrics) error { return nil }

func (g *target) ConsumeLogs(_ context.Context, ld plog.Logs) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.running {
		g.early++
		return nil
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			uid, _ := lr.Attributes().Get("log.record.uid")
			transition, _ := lr.Attributes().Get("alert.transition")
			g.records = append(g.records, [2]string{uid.Str(), transition.Str()})
		}
	}
	return nil
}

var worlds atomic.Int64 // No world inherits the state of another, also where the test is run again.

// world is what outlives a service: the targets, one for each logs pipeline.
type world struct {
	rng     *rand.Rand
	id      component.ID
	shape   string
	metrics int
	targets []*target
}

type noConfig struct{}

func (w *world) factories() (receiver.Factory, exporter.Factory) {
	config := func() component.Config { return &noConfig{} }
	sources := receiver.NewFactory(sourceType, config,
		receiver.WithMetrics(func(_ context.Context, _ receiver.Settings, _ component.Config, next consumer.Metrics) (receiver.Metrics, error) {
			return &source{next: next, rng: rand.New(rand.NewPCG(w.rng.Uint64(), 0)), stop: make(chan struct{})}, nil
		}, component.StabilityLevelStable),
		receiver.WithLogs(func(context.Context, receiver.Settings, component.Config, consumer.Logs) (receiver.Logs, error) {
			return &source{}, nil
		}, component.StabilityLevelStable))
	targets := exporter.NewFactory(targetType, config,
		exporter.WithMetrics(func(context.Context, exporter.Settings, component.Config) (exporter.Metrics, error) {
			return &target{}, nil
		}, component.StabilityLevelStable),
		exporter.WithLogs(func(_ context.Context, set exporter.Settings, _ component.Config) (exporter.Logs, error) {
			i := slices.IndexFunc(w.targets, func(g *target) bool { return g.name == set.ID.Name() })
			return w.targets[i], nil
		}, component.StabilityLevelStable))
	return sources, targets
}

// build makes a service of the shape, with names that differ from life to life, since they decide on the order of the start.
func (w *world) build(t *testing.T) *service.Service {
	t.Helper()
	sources, targets := w.factories()
	alerts, links := alertprocessor.NewFactory(), alertconnector.NewFactory()
	rules := func(cfg component.Config) component.Config {
		c := cfg.(*alertprocessor.Config)
		off := false
		c.Defaults.Flapping.Enabled = &off
		c.Rules = []rules.RuleConfig{{Name: "load", Metric: "m", Thresholds: map[string]rules.LevelConfig{
			"warning": {Above: 80}, "critical": {Above: 100},
		}}}
		return c
	}
	set := service.Settings{
		ReceiversConfigs:    map[component.ID]component.Config{},
		ReceiversFactories:  map[component.Type]receiver.Factory{sourceType: sources},
		ProcessorsConfigs:   map[component.ID]component.Config{w.id: rules(alerts.CreateDefaultConfig())},
		ProcessorsFactories: map[component.Type]processor.Factory{alertType: alerts},
		ExportersConfigs:    map[component.ID]component.Config{component.NewID(targetType): &noConfig{}},
		ExportersFactories:  map[component.Type]exporter.Factory{targetType: targets},
		ConnectorsConfigs:   map[component.ID]component.Config{w.id: rules(links.CreateDefaultConfig())},
		ConnectorsFactories: map[component.Type]connector.Factory{alertType: links},
		AsyncErrorChannel:   make(chan error, 1),
		TelemetryFactory:    telemetry.NewFactory(func() component.Config { return &noConfig{} }),
	}
	all := pipelines.Config{}
	name := func() string { return fmt.Sprintf("p%x", w.rng.Uint64()) }
	newSource := func() component.ID {
		id := component.NewIDWithName(sourceType, name())
		set.ReceiversConfigs[id] = &noConfig{}
		return id
	}
	for range w.metrics {
		p := &pipelines.PipelineConfig{Receivers: []component.ID{newSource()}, Exporters: []component.ID{component.NewID(targetType)}}
		if w.shape == "processor" {
			p.Processors = []component.ID{w.id}
		} else {
			p.Exporters = append(p.Exporters, w.id)
		}
		all[pipeline.NewIDWithName(pipeline.SignalMetrics, name())] = p
	}
	for _, g := range w.targets {
		out := component.NewIDWithName(targetType, g.name)
		set.ExportersConfigs[out] = &noConfig{}
		p := &pipelines.PipelineConfig{Receivers: []component.ID{w.id}, Exporters: []component.ID{out}}
		if w.shape == "processor" {
			p.Receivers, p.Processors = []component.ID{newSource()}, []component.ID{w.id}
		}
		all[pipeline.NewIDWithName(pipeline.SignalLogs, name())] = p
	}
	srv, err := service.New(context.Background(), set, service.Config{Telemetry: &noConfig{}, Pipelines: all})
	require.NoError(t, err)
	return srv
}

// TestServiceReloads starts and stops services with both shapes, one after the other as reloads do, under metrics that come until the
// last moment. Over all lives every logs pipeline gets every record once, and none after its exporter has stopped.
func TestServiceReloads(t *testing.T) {
	for _, shape := range []string{"processor", "connector"} {
		for seed := range uint64(50) {
			t.Run(fmt.Sprintf("%s/%d", shape, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(seed, 3))
					w := &world{rng: rng, id: component.NewIDWithName(alertType, fmt.Sprintf("world%d", worlds.Add(1))), shape: shape}
					w.metrics = 1 + rng.IntN(3)
					for i := range 1 + rng.IntN(3) {
						w.targets = append(w.targets, &target{name: fmt.Sprintf("logs%d", i)})
					}
					for range 5 {
						srv := w.build(t)
						require.NoError(t, srv.Start(context.Background()))
						<-time.After(time.Duration(1+rng.IntN(20000)) * time.Millisecond)
						require.NoError(t, srv.Shutdown(context.Background()))
						<-time.After(time.Second)
					}
					w.check(t)
				})
			})
		}
	}
}

func (w *world) check(t *testing.T) {
	t.Helper()
	want := w.targets[0].records
	assert.NotEmpty(t, want)
	for _, g := range w.targets {
		assert.Zero(t, g.early, "records for an exporter that does not run")
		assert.Equal(t, want, g.records, "every pipeline gets the same")
	}
	firing := ""
	seen := map[string]bool{}
	for _, record := range want {
		uid, episode := record[0], record[0][:16]
		assert.False(t, seen[uid], "%s arrived twice", uid)
		seen[uid] = true
		switch record[1] {
		case "fire":
			assert.Empty(t, firing)
			firing = episode
		case "resolve":
			assert.Equal(t, firing, episode, "resolved without a fire")
			firing = ""
		default:
			assert.Equal(t, firing, episode, "%s without a fire", record[1])
		}
	}
}
