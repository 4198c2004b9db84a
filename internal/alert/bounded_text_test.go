package alert

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// However long the texts of the data are, those of records and notices are not, and they are cut between characters.
func TestTextsOfTheDataAreCut(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"letters": strings.Repeat("a", 200_000), "characters of three bytes": strings.Repeat("€", 70_000), "of four bytes": "x" + strings.Repeat("😀", 50_000),
		"no UTF-8": strings.Repeat("\xff\xc3", 100_000),
	} {
		for _, form := range []string{"plain", "template", "many attributes", "resource", "storm", "units"} {
			t.Run(name+"/"+form, func(t *testing.T) {
				t.Parallel()
				r := newRig(t, ladderRule(func(rc *rules.RuleConfig) {
					rc.RepeatInterval = new(time.Minute)
					if form == "template" {
						rc.Message, rc.Labels = `x{{ .Attr "big" }}`, map[string]string{"l": `x{{ .Attr "big" }}`}
						rc.Annotations = map[string]string{"a": `{{ .Resource "host.name" }}{{ .Attr "big" }}`}
					}
				}), func(cfg *rules.Config) {
					if form == "storm" {
						cfg.Limits.EventsPerMinute = 1
					}
				})
				var points []point
				attrs := []attr.Attr{attr.String("big", text)}
				switch form {
				case "many attributes":
					for i := range 5 {
						attrs = append(attrs, attr.String(fmt.Sprint("big", i), text))
					}
				case "resource":
					r.metric, r.cfg.Rules[0].Metric = "process.m", "process.m"
					r.origin.Resource = []attr.Attr{attr.String("host.name", text), attr.String("process.executable.name", text), attr.String("process.pid", text)}
					r.restart(0)
				case "units":
					r.step(0, 1)
					r.unit = text
				}
				said := 0
				for i, v := range []float64{85, 99, 99, 85, 10} {
					s := float64(15 + i*60)
					points = []point{{s: s, v: v, attrs: attrs}}
					for j := range 2 {
						points = append(points, point{s: s, v: v, attrs: append([]attr.Attr{attr.Int("j", int64(j))}, attrs...)})
					}
					r.observe(s, points...)
					r.engine.Evaluate(at(s))
					for _, ev := range r.drain() {
						said++
						texts := []string{ev.Body}
						for _, l := range append(ev.Labels, ev.Annotations...) {
							texts = append(texts, l.Text)
						}
						for _, text := range texts {
							assert.LessOrEqual(t, len(text), alertschema.MaxText)
							assert.True(t, utf8.ValidString(text))
						}
					}
					for _, notice := range r.engine.TakeNotices() {
						assert.LessOrEqual(t, len(notice), alertschema.MaxText)
						assert.True(t, utf8.ValidString(notice))
					}
				}
				assert.Positive(t, said)
			})
		}
	}
}
