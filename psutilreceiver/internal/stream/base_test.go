package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// based is one scrape of a single stream that may have a base before its point, in seconds.
type based struct {
	story   string
	at      float64
	partial bool
	base    step // of no total where there is none
	point   step
	want    string // of the delta, as "start-time value"
	rate    string
}

// A process newly shown was counted among the rest until then. Its base and its point come in one scrape.
func TestABaseIsWhereADeltaBegins(t *testing.T) {
	t.Parallel()
	for name, scrapes := range map[string][]based{
		"a process that was among the rest": {
			{story: "nothing is shown", at: 100},
			{
				story: "shown", at: 110, base: step{at: 100, start: 5, total: 40}, point: step{start: 5, total: 55}, want: "100-110 15",
			},
			{story: "then on", at: 120, point: step{start: 5, total: 60}, want: "110-120 5", rate: "0.5"},
		},
		"a process that seems born in view, after a scrape that was not complete": {
			{story: "nothing is shown", at: 100},
			{story: "born at 103, among the rest", at: 110, partial: true},
			{story: "shown", at: 120, base: step{at: 110, start: 103, total: 7}, point: step{start: 103, total: 9}, want: "110-120 2"},
		},
		"a process that came back after a scrape that was not complete": {
			{story: "nothing is shown", at: 100},
			{story: "born and shown", at: 110, point: step{start: 105, total: 3}, want: "105-110 3"},
			{story: "among the rest, but the scrape proves no absence", at: 120, partial: true},
			{story: "back", at: 130, base: step{at: 120, start: 105, total: 8}, point: step{start: 105, total: 10}, want: "120-130 2"},
		},
		"a base of what the stream knows already": {
			{story: "nothing is shown", at: 100},
			{story: "born and shown", at: 110, point: step{start: 105, total: 3}, want: "105-110 3"},
			{
				story: "shown", at: 120, base: step{at: 110, start: 105, total: 3}, point: step{start: 105, total: 7}, want: "110-120 4", rate: "0.4",
			},
		},
		"a clock that stepped back": {
			{story: "nothing is shown", at: 100},
			{story: "the base is later than the scrape", at: 95, base: step{at: 100, start: 97, total: 40}, point: step{start: 97, total: 55}},
			{story: "held until the clock has caught up", at: 105, point: step{start: 97, total: 60}, want: "100-105 20", rate: "2"},
		},
		"a base of nothing": {
			{story: "nothing is shown", at: 100},
			{story: "a child was waited for", at: 110, base: step{at: 100, start: 5, total: 0}, point: step{start: 5, total: 2}, want: "100-110 2"},
		},
	} {
		for _, withRates := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/rates=%t", name, withRates), func(t *testing.T) {
				t.Parallel()
				stage := NewStage(Settings{
					Temporality: pmetric.AggregationTemporalityDelta, Rates: Rates{Enabled: withRates}, Returning: true,
				})
				for i, sc := range scrapes {
					sc.point.at = sc.at
					md := scrapeOf(sc.base)
					scrapeOf(sc.point).ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
					stage.process(md, timestamp(sc.at), time.Duration(i)*10*time.Second, !sc.partial)
					point, rate := show(md)
					assert.Equal(t, sc.want, point, sc.story)
					if withRates {
						assert.Equal(t, sc.rate, rate, sc.story)
					} else {
						assert.Empty(t, rate, sc.story)
					}
				}
			})
		}
	}
}
