package attr

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

func TestKeysHaveSeparators(t *testing.T) {
	t.Parallel()
	key := func(k, v string) string { return EncodeGroup([]Located{{InPoint, Attr{k, StringValue(v)}}}) }
	assert.NotEqual(t, key("ab", "c"), key("a", "bc"))
	assert.NotEqual(t, alertschema.AlertID("ab", "c"), alertschema.AlertID("a", "bc"))
	assert.NotEqual(t, key("a", "1"), EncodeGroup([]Located{{InPoint, Attr{"a", IntValue(1)}}}))
}
