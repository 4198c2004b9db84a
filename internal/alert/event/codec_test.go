package event

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestEventRoundTrip(t *testing.T) {
	t.Parallel()
	attrs := []attr.Attr{
		attr.String("s", "text"), attr.Int("i", -3), attr.Double("d", math.Inf(-1)), attr.Bool("b", true), {Key: "o", Value: attr.OtherValue("[1]")}, {Key: "e", Value: attr.Value{}},
	}
	ev := Event{
		Kind: alertschema.KindSuppressed, Time: 1, ObservedTime: -2, SeverityNumber: 18, SeverityText: "critical", Body: "b", UID: "u", AlertID: "a", EpisodeID: "e",
		Transition: alertschema.TransitionFlappingEnd, State: alertschema.StateFlapping, Previous: alertschema.StateNoData, Severity: "s", PreviousSeverity: "p", Reason: alertschema.ReasonStormReleased,
		Rule: "r", RuleVersion: "v", RuleDescription: "d", Metric: "m", Unit: "By", Value: attr.Number{Float64: 0.5, Valid: true}, Comparison: ">", Aggregation: "p95",
		Window: time.Minute, StartedAt: 3, EndedAt: math.MinInt64, Ended: true, Duration: time.Hour, Occurrences: 7, Labels: []attr.Label{{Key: "k", Text: "v"}},
		Annotations: []attr.Label{{Key: "a", Text: "b"}}, Group: attrs, Resource: attrs, More: attrs[:1], TraceID: [16]byte{1}, SpanID: [8]byte{2},
		Counts: []SuppressedCount{{"r", "s", 3}},
	}
	got, err := Decode(Encode(&ev))
	require.NoError(t, err)
	assert.Equal(t, ev, got)
}
