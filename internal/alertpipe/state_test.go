package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// stateConsumer keeps the points of the newest metrics: "1", or "ended", by rule, severity and instance.
type stateConsumer struct {
	mu      sync.Mutex
	newest  map[string]string
	omitted int64
	refuse  bool
}

func (*stateConsumer) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *stateConsumer) ConsumeMetrics(_ context.Context, md pmetric.Metrics) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refuse {
		return errors.New("full")
	}
	c.newest = map[string]string{}
	for _, rm := range md.ResourceMetrics().All() {
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			for _, dp := range m.Gauge().DataPoints().All() {
				if m.Name() == metricFiringOmitted {
					c.omitted = dp.IntValue()
					continue
				}
				key := ""
				for _, name := range []string{alertschema.KeyRuleName, alertschema.KeySeverity, "instance"} {
					v, _ := dp.Attributes().Get(name)
					key += v.AsString() + " "
				}
				c.newest[key] = fmt.Sprint(dp.IntValue())
				if dp.Flags().NoRecordedValue() {
					c.newest[key] = "ended"
				}
			}
		}
	}
	return nil
}

func (c *stateConsumer) points() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.newest)
}

func (c *stateConsumer) leftOut() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.omitted
}

func (c *stateConsumer) refuseAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = true
}

func TestStateOfAlertsAsMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 1)
		c := &stateConsumer{}
		state := r.pipe.NewStateSink(c)
		require.NoError(t, state.Start(t.Context(), r.host))
		r.start()
		interval := r.cfg.EvaluationInterval
		feed := func(value float64) {
			r.inputs[0].Consume(gauge(value, "a"))
			advance(2 * interval)
		}
		feed(10)
		assert.Empty(t, c.points())
		feed(90)
		assert.Equal(t, map[string]string{"load warning a ": "1"}, c.points())
		feed(99)
		assert.Equal(t, "1", c.points()["load critical a "])
		feed(99)
		assert.Equal(t, map[string]string{"load critical a ": "1"}, c.points(), "what ended is said once")

		c.refuseAll()
		feed(99)
		feed(99)
		assert.Equal(t, 1, r.logs.FilterMessageSnippet("can't be passed on as metrics").Len(), "said once")
		require.NoError(t, state.Shutdown(context.Background()))
		r.shutdown()
	})
}

// Of more alerts than there may be points the most severe stay, and the others are counted.
func TestStateOfTooManyAlerts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(cfg *Config) { cfg.Limits.AlertsPerRule, cfg.Limits.EventsPerMinute = 5000, 10_000 }, 1)
		c := &stateConsumer{}
		state := r.pipe.NewStateSink(c)
		require.NoError(t, state.Start(t.Context(), r.host))
		r.start()
		for i := range maxFiring + 50 {
			value := 90.0
			if i >= maxFiring {
				value = 99
			}
			r.inputs[0].Consume(gauge(value, fmt.Sprint(i)))
		}
		advance(3 * r.cfg.EvaluationInterval)
		points := c.points()
		assert.Len(t, points, maxFiring)
		assert.EqualValues(t, 50, c.leftOut())
		for i := range 50 {
			assert.Contains(t, points, fmt.Sprintf("load critical %d ", maxFiring+i))
		}
		require.NoError(t, state.Shutdown(context.Background()))
		r.shutdown()
	})
}

// Without a logs pipeline records go nowhere, and do not pile up.
func TestStateWithoutRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil, 0)
		c := &stateConsumer{}
		state := r.pipe.NewStateSink(c)
		require.NoError(t, state.Start(t.Context(), r.host))
		r.start()
		r.inputs[0].Consume(gauge(99, "a"))
		advance(3 * r.cfg.EvaluationInterval)
		assert.Equal(t, []string{"load critical a "}, slices.Collect(maps.Keys(c.points())))
		assert.Zero(t, r.pending())
		require.NoError(t, state.Shutdown(context.Background()))
		r.shutdown()
	})
}
