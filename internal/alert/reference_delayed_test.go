package alert

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// Rules that look at each other's alerts say the same when the points of a batch come in another order, newest first or mixed: those that are
// older than what has come wait for the end of the batch.
func TestReferencesWithDelayedPoints(t *testing.T) {
	t.Parallel()
	for name, set := range map[string][]rules.RuleConfig{"and": besideDown(nil), "unless": unlessDown(nil)} {
		for seed := range uint64(200) {
			random := rand.New(rand.NewPCG(11, seed))
			type sample struct {
				metric string
				point
			}
			var batches [][]sample
			for b := range 6 {
				var batch []sample
				for i := range 3 {
					s := float64(b*45 + i*15)
					batch = append(batch, sample{"m", point{s: s, v: []float64{10, 90, 99}[random.IntN(3)]}}, sample{"d", point{s: s, v: []float64{0, 1, 9}[random.IntN(3)]}})
				}
				batches = append(batches, batch)
			}
			said := func(order func([]sample)) []string {
				r := newRig(t, set, nil)
				var out []string
				for b, batch := range batches {
					batch = append([]sample(nil), batch...)
					order(batch)
					r.engine.Begin(at(float64(b*45 + 31)))
					for _, p := range batch {
						m := r.engine.Matcher(p.metric)
						require.True(t, m.Select(&r.origin, Stream{Unit: "1"}))
						m.Observe(&Point{Time: at(p.s).UnixNano(), Value: p.v})
					}
					r.engine.Flush(at(float64(b*45 + 31)))
					r.engine.Evaluate(at(float64(b*45 + 32)))
					for _, ev := range r.drain() {
						out = append(out, fmt.Sprintf("%d %s %s %s", b, ev.Rule, ev.Transition, ev.Severity))
					}
				}
				return out
			}
			want := said(func([]sample) {})
			backwards := said(func(batch []sample) {
				for i := range len(batch) / 2 {
					batch[i], batch[len(batch)-1-i] = batch[len(batch)-1-i], batch[i]
				}
			})
			require.Equal(t, want, backwards, "%s %d: newest first", name, seed)
			mixed := said(func(batch []sample) {
				random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
			})
			require.Equal(t, want, mixed, "%s %d: mixed", name, seed)
		}
	}
}
