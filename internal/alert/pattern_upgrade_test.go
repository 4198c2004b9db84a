package alert

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// A pattern that is written for whole values now means what its stored form meant: the alert goes on, and is resolved by its value.
func TestAlertsOutliveAPatternThatIsRespelled(t *testing.T) {
	t.Parallel()
	for before, ends := range map[string][]string{"^/v": {"resolve"}, "/var$": {"resolve"}, "^/x": {"resolve", "fire:warning"}} {
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Match = map[string]any{"mountpoint": map[string]any{"regex": "/v.*"}} }), nil)
		if before == "/var$" {
			r.cfg.Rules[0].Match = map[string]any{"mountpoint": map[string]any{"regex": ".*/var"}}
			r.restart(0)
		}
		r.observe(0, point{v: 90, attrs: disk("/var")})
		assert.Equal(t, []string{"fire:warning"}, r.transitions())
		stored := store{}
		stored.write(r.engine.Snapshot(at(1)))
		for key := range maps.Keys(stored) {
			if !strings.HasPrefix(key, "a") {
				continue
			}
			s, err := decodeAlert(stored[key])
			require.NoError(t, err)
			today := `"/v.*"`
			if before == "/var$" {
				today = `".*/var"`
			}
			require.Contains(t, s.selection, today)
			s.selection = strings.Replace(s.selection, today, `"`+before+`"`, 1)
			stored[key] = s.encode()
		}
		r.restart(10)
		require.NoError(t, r.engine.Restore(stored, at(10)))
		r.observe(15, point{s: 15, v: 91, attrs: disk("/var")})
		r.engine.Evaluate(at(15))
		if len(ends) == 1 {
			assert.Empty(t, r.transitions(), before)
			r.observe(30, point{s: 30, v: 10, attrs: disk("/var")})
		}
		assert.Equal(t, ends, r.transitions(), before)
	}
}
