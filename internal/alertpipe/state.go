package alertpipe

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// Names of the metrics about the state of the alerts.
const (
	// metricFiring is 1 for each alert that fires.
	metricFiring = "alert.firing"
	// metricFiringOmitted is how many fire beyond maxFiring.
	metricFiringOmitted = "alert.firing.omitted"
	// maxFiring bounds the points of metricFiring; the most severe ones stay.
	maxFiring = 1000
)

// StateSink is where the state of the alerts goes out as metrics, to the metrics pipelines of a connector.
type StateSink struct {
	node
	next consumer.Metrics

	work   chan stateOfAlerts // The newest; an older one that was not taken gives way.
	cancel context.CancelFunc
	done   chan struct{}
	once   sync.Once
	failed bool // The last one was refused; that is logged once.
	// said are the points of the last metrics by key: those that are gone are marked as ended.
	said map[string]alert.Firing
}

// stateOfAlerts is what one evaluation left.
type stateOfAlerts struct {
	at      time.Time
	firing  []alert.Firing
	omitted int
}

// NewStateSink adds a sink of the state. All inputs and sinks are added before the first of them starts.
func (p *Pipe) NewStateSink(next consumer.Metrics) *StateSink {
	p.life.Lock()
	defer p.life.Unlock()
	s := &StateSink{node: node{pipe: p}, next: next, work: make(chan stateOfAlerts, 1), done: make(chan struct{}), said: map[string]alert.Firing{}}
	p.nodes++
	p.states = append(p.states, s)
	return s
}

// Start starts the sink, and the pipe with its first node.
func (s *StateSink) Start(ctx context.Context, host component.Host) error {
	if err := s.start(ctx, host); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	go s.run(run)
	return nil
}

// Shutdown stops it. What was not taken by then is of no use any more.
func (s *StateSink) Shutdown(ctx context.Context) error {
	s.stop(ctx, func(ctx context.Context) {
		s.once.Do(s.cancel)
		waitFor(ctx, s.done, s.pipe.timeouts.firstRetry)
	})
	return nil
}

func (s *StateSink) run(ctx context.Context) {
	defer close(s.done)
	for {
		select {
		case <-ctx.Done():
			return
		case state := <-s.work:
			err := s.next.ConsumeMetrics(ctx, s.metrics(state))
			if err != nil && !s.failed {
				s.pipe.set.Logger.Warn("The state of the alerts can't be passed on as metrics", zap.Error(err))
			}
			s.failed = err != nil
		}
	}
}

// offer hands over the newest state. It never waits.
func (s *StateSink) offer(state stateOfAlerts) {
	select {
	case <-s.work:
	default:
	}
	select {
	case s.work <- state:
	default: // It was taken and another one offered meanwhile, which only tests do.
	}
}

// offerState gives the state to all sinks of it.
func (p *Pipe) offerState(state *stateOfAlerts) {
	if state == nil {
		return
	}
	for _, s := range p.states {
		s.offer(*state)
	}
}

// takeState reads the state if somebody wants it. The caller holds p.mu.
func (p *Pipe) takeState() *stateOfAlerts {
	if len(p.states) == 0 {
		return nil
	}
	state := &stateOfAlerts{at: p.set.Now()}
	state.firing, state.omitted = p.engine.Firing(maxFiring)
	return state
}

// metrics makes a gauge of what fires, and marks what has ended since the last time.
func (s *StateSink) metrics(state stateOfAlerts) pmetric.Metrics {
	w := stateWriter{md: pmetric.NewMetrics(), at: pcommon.NewTimestampFromTime(state.at), points: map[string]pmetric.NumberDataPointSlice{}}
	said := make(map[string]alert.Firing, len(state.firing))
	for i := range state.firing {
		f := &state.firing[i]
		said[firingKey(f)] = *f
		w.point(f).SetIntValue(1)
	}
	for key := range s.said {
		if _, fires := said[key]; !fires {
			ended := s.said[key]
			w.point(&ended).SetFlags(pmetric.DefaultDataPointFlags.WithNoRecordedValue(true))
		}
	}
	s.said = said
	m := w.metric(nil, metricFiringOmitted, "Alerts that fire and are none of the points of "+metricFiring+".")
	dp := m.AppendEmpty()
	dp.SetTimestamp(w.at)
	dp.SetIntValue(int64(state.omitted))
	return w.md
}

// firingKey tells the points apart: an alert under one severity.
func firingKey(f *alert.Firing) string { return strconv.FormatUint(f.ID, 16) + f.Severity }

// stateWriter writes points, those of one resource together.
type stateWriter struct {
	md     pmetric.Metrics
	at     pcommon.Timestamp
	points map[string]pmetric.NumberDataPointSlice
}

func (w *stateWriter) metric(resource []attr.Attr, name, description string) pmetric.NumberDataPointSlice {
	rm := w.md.ResourceMetrics().AppendEmpty()
	putAttrs(rm.Resource().Attributes(), resource)
	sm := rm.ScopeMetrics().AppendEmpty()
	sm.Scope().SetName(alertschema.ScopeName)
	m := sm.Metrics().AppendEmpty()
	m.SetName(name)
	m.SetDescription(description)
	m.SetUnit("{alert}")
	return m.SetEmptyGauge().DataPoints()
}

func (w *stateWriter) point(f *alert.Firing) pmetric.NumberDataPoint {
	var key strings.Builder
	for _, a := range f.Resource {
		key.WriteString(a.Key + "\x00" + a.Value.AsString() + "\x00")
	}
	points, known := w.points[key.String()]
	if !known {
		points = w.metric(f.Resource, metricFiring, "1 for each alert that fires, by rule, severity and the attributes of its group.")
		w.points[key.String()] = points
	}
	dp := points.AppendEmpty()
	dp.SetTimestamp(w.at)
	dp.SetStartTimestamp(pcommon.NewTimestampFromTime(f.Since))
	a := dp.Attributes()
	a.PutStr(alertschema.KeyRuleName, f.Rule)
	a.PutStr(alertschema.KeySeverity, f.Severity)
	putAttrs(a, slices.DeleteFunc(slices.Clone(f.Attributes), func(a attr.Attr) bool { return alertschema.Defines(a.Key) }))
	return dp
}
