package notifyexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// woken tells which workers are to look again, and lets them forget it.
func (b *bench) woken() (names []string) {
	for _, w := range b.workers {
		select {
		case <-w.wake:
			names = append(names, w.route.name)
		default:
		}
	}
	return names
}

// TestWorkersWakeEachOtherForNewsOnly: with two channels and more, a worker that wakes the others whenever it looks is woken by each of them, and none ever rests.
func TestWorkersWakeEachOtherForNewsOnly(t *testing.T) {
	b := newBench(t, `
channels:
  a: {`+hook+`, escalate_to: b, escalate_after: 10m}
  b: {`+hook+`, standby: true}
  c: {`+hook+`}
`)
	b.woken()
	b.settleNow()
	assert.Empty(t, b.woken(), "nothing has come")
	fire := event{rule: "r", host: "h", severity: "warning", transition: alertschema.TransitionFire, state: alertschema.StateFiring, started: b.clock, at: b.clock, n: 1}
	require.NoError(t, b.ConsumeLogs(t.Context(), fire.logs()))
	assert.Equal(t, []string{"a", "b", "c"}, b.woken())
	b.pass(5 * time.Minute)
	require.Len(t, b.on["a"].take(), 1)
	b.woken()
	b.pass(time.Minute)
	assert.Empty(t, b.woken(), "all was told")
	b.clock = b.clock.Add(5 * time.Minute)
	b.workers[0].step(t.Context())
	assert.Contains(t, b.woken(), "b", "there is news for another channel")
	b.pass(time.Minute)
	require.Len(t, b.on["b"].take(), 1)
}
