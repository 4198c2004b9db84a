package event

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// What has no field of its own stands behind those that have, and before labels and the group.
func TestMoreAttributes(t *testing.T) {
	t.Parallel()
	ev := Event{More: []attr.Attr{attr.String("alert.more", "x")}, Labels: []attr.Label{{Key: "k", Text: "v"}}, Group: []attr.Attr{attr.String("cpu", "0")}}
	var keys []string
	for _, a := range ev.Attributes(nil) {
		keys = append(keys, a.Key)
	}
	assert.Equal(t, []string{alertschema.KeyOccurrences, "alert.more", alertschema.PrefixLabel + "k", "cpu"}, keys[len(keys)-4:])
}
