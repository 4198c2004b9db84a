package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

func TestMain(m *testing.M) {
	if os.Getenv(crashChildEnv) != "" {
		os.Exit(m.Run()) // The child of the crash test does not live to leak anything.
	}
	goleak.VerifyTestMain(m)
}

// Most tests run in a bubble of testing/synctest: time is virtual, synctest.Wait returns when nothing is left to do at this time,
// and a goroutine that outlives its test fails it.

// advance lets virtual time pass, and all that is due happen.
func advance(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// rig is a pipe with its surroundings.
type rig struct {
	t      *testing.T
	cfg    *Config
	id     component.ID
	host   *testHost
	logs   *observer.ObservedLogs
	pipe   *Pipe
	inputs []*Input
	sinks  []*Sink
	out    []*collector
}

// ladder is a rule on the metric m: warning above 80, critical above 95.
func ladder(name string) rules.RuleConfig {
	return rules.RuleConfig{
		Name: name, Metric: "m",
		Thresholds:  map[string]rules.LevelConfig{"warning": {Above: 80}, "critical": {Above: 95}},
		LevelConfig: rules.LevelConfig{Message: name + " is {{ .Value }}"},
	}
}

var rigs atomic.Int64

func newRig(t *testing.T, edit func(*Config), sinks int) *rig {
	t.Helper()
	id := fmt.Sprintf("test%d", rigs.Add(1)) // No test inherits the state of another.
	r := &rig{t: t, cfg: DefaultConfig(), id: component.MustNewIDWithName("alert", id), host: &testHost{}}
	off := false
	r.cfg.Defaults.Flapping.Enabled = &off
	r.cfg.Rules = []rules.RuleConfig{ladder("load")}
	if edit != nil {
		edit(r.cfg)
	}
	for range sinks {
		r.out = append(r.out, &collector{})
	}
	r.create()
	return r
}

// create makes a new pipe over the same collectors, as a reload does.
func (r *rig) create() {
	r.t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	r.logs = logs
	var err error
	r.pipe, err = New(Settings{
		ID: r.id, Kind: component.KindProcessor, Logger: zap.New(core), Instruments: noInstruments(), Now: time.Now,
	}, r.cfg)
	require.NoError(r.t, err)
	r.inputs, r.sinks = []*Input{r.pipe.NewInput()}, nil
	for _, c := range r.out {
		r.sinks = append(r.sinks, r.pipe.NewSink(c))
	}
}

func noInstruments() Instruments {
	return Instruments{
		Active: noop.Int64Gauge{}, DeliveryAttempts: noop.Int64Counter{}, EvaluationDuration: noop.Float64Histogram{},
		EventsSuppressed: noop.Int64Counter{}, LimitsExceeded: noop.Int64Counter{}, OutboxDropped: noop.Int64Counter{}, OutboxSize: noop.Int64Gauge{},
		OutboxUndelivered: noop.Int64Counter{}, RuleErrors: noop.Int64Counter{}, RuleLastMatchAge: noop.Float64Gauge{},
		SamplesIgnored: noop.Int64Counter{}, Series: noop.Int64Gauge{}, Transitions: noop.Int64Counter{},
	}
}

func (r *rig) start() {
	r.t.Helper()
	for _, s := range r.sinks {
		require.NoError(r.t, s.Start(r.t.Context(), r.host))
	}
	for _, in := range r.inputs {
		require.NoError(r.t, in.Start(r.t.Context(), r.host))
	}
}

// shutdown stops metrics first, as well as a Collector can order it.
func (r *rig) shutdown() {
	r.t.Helper()
	for _, in := range r.inputs {
		require.NoError(r.t, in.Shutdown(context.Background()))
	}
	for _, s := range r.sinks {
		require.NoError(r.t, s.Shutdown(context.Background()))
	}
}

// restart stops the pipe and starts one with the configuration as it is now.
func (r *rig) restart() {
	r.t.Helper()
	r.shutdown()
	r.create()
	r.start()
}

// pending returns how many records wait.
func (r *rig) pending() int {
	r.pipe.mu.Lock()
	defer r.pipe.mu.Unlock()
	return r.pipe.engine.Pending()
}

// feed feeds one value of the metric m, a second after what was before.
func (r *rig) feed(value float64) {
	r.t.Helper()
	advance(time.Second)
	r.inputs[0].Consume(gauge(value, "a"))
	synctest.Wait()
}

// gauge returns one point of the gauge m of the host db1, now.
func gauge(value float64, instance string) pmetric.Metrics {
	md := pmetric.NewMetrics()
	rm := md.ResourceMetrics().AppendEmpty()
	rm.Resource().Attributes().PutStr("host.name", "db1")
	m := rm.ScopeMetrics().AppendEmpty().Metrics().AppendEmpty()
	m.SetName("m")
	m.SetUnit("1")
	dp := m.SetEmptyGauge().DataPoints().AppendEmpty()
	dp.Attributes().PutStr("instance", instance)
	dp.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
	dp.SetDoubleValue(value)
	md.MarkReadOnly()
	return md
}

// collector is the consumer behind a sink. It takes what it gets, unless react says otherwise.
type collector struct {
	mu       sync.Mutex
	records  []record
	attempts int
	react    func(ctx context.Context, ld plog.Logs) error
}

// record is what a test looks at of a log record.
type record struct {
	UID, Transition, Severity, Reason, Body, Event string
	Time                                           time.Time
}

func (*collector) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (c *collector) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	c.mu.Lock()
	react := c.react
	c.attempts++
	c.mu.Unlock()
	if react != nil {
		if err := react(ctx, ld); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				c.records = append(c.records, readRecord(lr))
			}
		}
	}
	ld.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true }) // It owns what it gets.
	return nil
}

func readRecord(lr plog.LogRecord) record {
	text := func(key string) string {
		v, _ := lr.Attributes().Get(key)
		return v.Str()
	}
	get := func(key string) string {
		if _, ok := lr.Attributes().Get(key); !ok {
			return ""
		}
		return text(key)
	}
	return record{
		UID: get("log.record.uid"), Transition: get("alert.transition"), Severity: get("alert.severity"),
		Reason: get("alert.reason"), Body: lr.Body().Str(), Event: lr.EventName(), Time: lr.Timestamp().AsTime(),
	}
}

func (c *collector) set(react func(ctx context.Context, ld plog.Logs) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.react = react
}

func (c *collector) tries() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attempts
}

// got returns the transitions that arrived, in order.
func (c *collector) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, r := range c.records {
		out = append(out, r.Transition)
	}
	return out
}

func (c *collector) all() []record {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.records)
}

var errBusy = errors.New("sending queue is full")

// testHost is a Collector with at most one storage extension, which takes status reports.
type testHost struct {
	storage  component.Component
	mu       sync.Mutex
	statuses []componentstatus.Status
	lastErr  error
}

func (h *testHost) GetExtensions() map[component.ID]component.Component {
	if h.storage == nil {
		return nil
	}
	return map[component.ID]component.Component{storageID: h.storage}
}

func (h *testHost) Report(ev *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.statuses = append(h.statuses, ev.Status())
	h.lastErr = ev.Err()
}

func (h *testHost) seen() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.statuses)
}

// last returns the error of the newest report.
func (h *testHost) last() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lastErr
}

var storageID = component.MustNewID("file_storage")

// memoryStorage is a storage extension. It survives the pipes that use it, which write it whenever they like: a test reads and changes it by its
// methods only.
type memoryStorage struct {
	component.StartFunc
	component.ShutdownFunc
	mu     sync.Mutex
	data   map[string][]byte
	open   int
	before func() error // Called before each batch.

	unreadable map[string]error // Of reads, by key.
}

func (m *memoryStorage) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open++
	return m, nil
}

// hook sets what is called before each batch.
func (m *memoryStorage) hook(before func() error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = before
}

// fail sets the errors of reads, by key.
func (m *memoryStorage) fail(unreadable map[string]error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.unreadable = unreadable
}

// stored returns a copy of all values by key, in which nothing changes any more.
func (m *memoryStorage) stored() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.data)
}

// put sets values as they are, without the hook.
func (m *memoryStorage) put(values map[string][]byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.data == nil {
		m.data = map[string][]byte{}
	}
	maps.Copy(m.data, values)
}

// clients returns how many are open.
func (m *memoryStorage) clients() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.open
}

func (m *memoryStorage) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.data[key], m.unreadable[key]
}

func (m *memoryStorage) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memoryStorage) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memoryStorage) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	before := m.before
	m.mu.Unlock()
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next := maps.Clone(m.data)
	if next == nil {
		next = map[string][]byte{}
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Set:
			next[op.Key] = slices.Clone(op.Value)
		case storage.Delete:
			delete(next, op.Key)
		case storage.Get:
			op.Value = next[op.Key]
		}
	}
	m.data = next
	return nil
}

func (m *memoryStorage) Close(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open--
	return nil
}

func withStorage(cfg *Config) { cfg.Storage = &storageID }
