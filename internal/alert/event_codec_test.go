package alert

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestEventRoundTrip(t *testing.T) {
	t.Parallel()
	attrs := []Attr{
		{"s", StringValue("text")}, {"i", IntValue(-3)}, {"d", DoubleValue(math.Inf(-1))}, {"b", BoolValue(true)}, {"o", OtherValue("[1]")}, {"e", Value{}},
	}
	ev := Event{
		Kind: alertschema.KindSuppressed, Time: 1, ObservedTime: -2, SeverityNumber: 18, SeverityText: "critical", Body: "b", UID: "u", AlertID: "a", EpisodeID: "e",
		Transition: alertschema.TransitionFlappingEnd, State: alertschema.StateFlapping, Previous: alertschema.StateNoData, Severity: "s", PreviousSeverity: "p", Reason: alertschema.ReasonStormReleased,
		Rule: "r", RuleVersion: "v", RuleDescription: "d", Metric: "m", Unit: "By", Value: Number{0.5, true}, Comparison: ">", Aggregation: "p95",
		Window: time.Minute, StartedAt: 3, EndedAt: math.MinInt64, Ended: true, Duration: time.Hour, Occurrences: 7, Labels: []Label{{"k", "v"}},
		Annotations: []Label{{"a", "b"}}, Group: attrs, Resource: attrs, TraceID: [16]byte{1}, SpanID: [8]byte{2},
		Counts: []SuppressedCount{{"r", "s", 3}},
	}
	got, err := Decode(Encode(&ev))
	require.NoError(t, err)
	assert.Equal(t, ev, got)
}
