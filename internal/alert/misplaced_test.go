package alert

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// What stands in the wrong place is said at the first data, once, and not only that nothing matched for ten minutes.
func TestAttributesInTheWrongPlaceAreNoticedAtTheFirstData(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*rules.RuleConfig)
		want []string
	}{
		"match of a resource attribute": {
			func(rc *rules.RuleConfig) { rc.Match = map[string]any{"host.name": "db1", "mountpoint": "/"} },
			[]string{`rule "load": match.host.name matches no data point of m: there it is an attribute of the resource, which is written {resource: {host.name: …}}`},
		},
		"by an operator": {
			func(rc *rules.RuleConfig) { rc.Match = map[string]any{"host.name": map[string]any{"glob": "db*"}} },
			[]string{`rule "load": match.host.name matches no data point of m: there it is an attribute of the resource, which is written {resource: {host.name: …}}`},
		},
		"group_by of a resource attribute": {
			func(rc *rules.RuleConfig) { rc.GroupBy = []string{"mountpoint", "host.name"} },
			[]string{`rule "load": group_by "host.name" is in no group: of m it is written "resource.host.name"`},
		},
		"group_by of a point attribute": {
			func(rc *rules.RuleConfig) { rc.GroupBy = []string{"resource.mountpoint"} },
			[]string{`rule "load": group_by "resource.mountpoint" is in no group: of m it is written "mountpoint"`},
		},
		"in the right place": {
			func(rc *rules.RuleConfig) {
				rc.Match = map[string]any{"mountpoint": "/", "resource": map[string]any{"host.name": "db1"}}
				rc.GroupBy = []string{"mountpoint", "resource.host.name", "resource.host.id"}
			},
			nil,
		},
		"not there": {func(rc *rules.RuleConfig) { rc.Match = map[string]any{"host.name": map[string]any{"exists": false}} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, ladderRule(c.edit), nil)
			var notices []string
			for s := range 5 {
				r.observe(float64(s), point{s: float64(s), v: 1, attrs: disk("/")}, point{s: float64(s), v: 1, attrs: disk("/var")})
				r.engine.Evaluate(at(float64(s)))
				notices = append(notices, r.engine.TakeNotices()...)
			}
			assert.Equal(t, c.want, notices)
		})
	}
	t.Run("where both have it", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, ladderRule(func(rc *rules.RuleConfig) { rc.Match = map[string]any{"host.name": "db1"} }), nil)
		r.observe(0, point{v: 1, attrs: []attr.Attr{attr.String("host.name", "db1")}})
		r.engine.Evaluate(at(0))
		assert.Empty(t, r.engine.TakeNotices())
	})
}
