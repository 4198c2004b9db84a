package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestKeysHaveSeparators(t *testing.T) {
	t.Parallel()
	key := func(k, v string) string { return encodeGroup([]groupAttr{{fromPoint, Attr{k, StringValue(v)}}}) }
	assert.NotEqual(t, key("ab", "c"), key("a", "bc"))
	assert.NotEqual(t, alertschema.AlertID("ab", "c"), alertschema.AlertID("a", "bc"))
	assert.NotEqual(t, key("a", "1"), encodeGroup([]groupAttr{{fromPoint, Attr{"a", IntValue(1)}}}))
}
