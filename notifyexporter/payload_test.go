package notifyexporter

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAPayloadHasNoNull holds that what has nothing in it stays an object or a list, whole and in the short form: null is another type.
func TestAPayloadHasNoNull(t *testing.T) {
	m := &message{items: []item{{notices: []notice{{}}}, {notices: []notice{{}}}}}
	p := m.payload()
	for _, form := range []string{"whole", "short"} {
		if form == "short" {
			p.shorten(m)
		}
		text, err := json.Marshal(p)
		require.NoError(t, err)
		assert.NotContains(t, string(text), "null", form)
	}
}
