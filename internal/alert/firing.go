package alert

import (
	"cmp"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// Firing is one alert of which the receivers of records believe that it fires.
type Firing struct {
	// ID is that of the alert in records.
	ID uint64
	// Rule is the name of the rule, Severity that of the announced level, and SeverityNumber its OTLP number.
	Rule, Severity string
	SeverityNumber int
	// Attributes are those of the group that records carry, and Resource is that of the series.
	Attributes, Resource []attr.Attr
	// Since is when the episode began.
	Since time.Time
}

// Firing returns the announced alerts, the most severe first, then in order of rule and ID. Of more than limit the others are omitted and counted.
func (e *Engine) Firing(limit int) (firing []Firing, omitted int) {
	var groups []*group
	for _, g := range e.alerts {
		if a := g.alert; a.announced > 0 && a.announced <= len(g.rule.Levels) {
			groups = append(groups, g)
		}
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.announcedNumber(), a.announcedNumber()), compareGroups(a, b))
	})
	omitted = max(0, len(groups)-limit)
	for _, g := range groups[:len(groups)-omitted] {
		firing = append(firing, Firing{
			ID: g.recordID(), Rule: g.rule.Name, Severity: g.rule.LevelName(g.alert.announced), SeverityNumber: g.announcedNumber(),
			Attributes: g.attributes(), Resource: g.resourceAttrs(), Since: time.Unix(0, g.alert.announcedStart).UTC(),
		})
	}
	return firing, omitted
}

func (g *group) announcedNumber() int { return g.rule.Levels[g.alert.announced-1].Number }
