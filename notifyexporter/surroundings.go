package notifyexporter

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

const (
	// describeTimeout bounds how long a message waits for what was around its alerts. People are told without it then.
	describeTimeout = time.Second
	// maxDescribed is how many alerts of a message are told with it.
	maxDescribed = 3
	// recent is how old news may be for the hour up to now to be shown, and not the one up to the news.
	recent = int64(10 * time.Minute)
	// shownProcesses and shownChanges are how many processes and series a message names.
	shownProcesses = 3
	shownChanges   = 3
)

// describe asks what was around the alerts of a message that is about to be written. In a storm it is about the whole, and nobody is asked.
func (*notifier) describe(ctx context.Context, m *message, now int64) {
	if m.Storm || m.Acknowledged {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, describeTimeout)
	defer cancel()
	for i := range m.items[:min(len(m.items), maxDescribed)] {
		it := &m.items[i]
		if it.entry.Once || it.entry.About.Metric == "" || it.onlyAcknowledges() {
			continue
		}
		until := now
		if n := it.last(); now-n.At > recent && n.Transition != "repeat" {
			until = n.At
		}
		c, ok := alertcontext.Describe(ctx, alertcontext.Alert{
			ID: it.entry.ID, Episode: it.entry.Episode, Metric: it.entry.About.Metric, Unit: it.entry.About.Unit, Value: valueOf(it.last()), Resource: it.entry.About.Resource, Group: it.entry.About.Group,
			LowIsBad: strings.HasPrefix(it.last().Comparison, "<"), Started: time.Unix(0, it.entry.Started), Until: time.Unix(0, until),
		})
		if ok {
			it.around = &c
		}
	}
}

func valueOf(n *notice) float64 {
	if n.Value == nil {
		return math.NaN()
	}
	return *n.Value
}

// addAround puts into words what was around the alert.
func addAround(it *item, add func(name, text string)) {
	c := it.around
	if c == nil {
		return
	}
	if low, high, ok := bounds(c.Values); ok {
		add("Last hour", sparkline(c.Values)+" "+spanText(low, high, c))
	}
	if it.last().Resolved {
		return
	}
	add("Top processes", processesText(c.Processes))
	var moved []string
	for _, x := range c.Moved[:min(len(c.Moved), shownChanges)] {
		name := x.Metric
		if x.Part != "" {
			name += " " + x.Part
		}
		moved = append(moved, fmt.Sprintf("%s %s → %s", name, quantity(x.Before, x.Unit, x.Metric), quantity(x.After, x.Unit, x.Metric)))
	}
	add("Moved most", strings.Join(moved, "; "))
}

// spanText is the least and the largest value.
func spanText(low, high float64, c *alertcontext.Context) string {
	from, to := quantity(low, c.Unit, c.Metric), quantity(high, c.Unit, c.Metric)
	if from == to {
		return from
	}
	return "from " + from + " to " + to
}

// processesText names the processes that take the most.
func processesText(processes []alertcontext.Process) string {
	var out []string
	for _, p := range processes[:min(len(processes), shownProcesses)] {
		var takes []string
		if !math.IsNaN(p.CPU) {
			takes = append(takes, number(math.Round(p.CPU*1000)/10)+" % CPU")
		}
		if !math.IsNaN(p.Memory) && p.Memory > 0 {
			takes = append(takes, scaled(p.Memory))
		}
		out = append(out, strings.TrimSpace(oneLine(cutTo(p.Name, 60))+" "+strings.Join(takes, ", ")))
	}
	return strings.Join(out, "; ")
}

// bounds are the least and the largest of values; false when there is none.
func bounds(values []float64) (low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high, ok = min(low, v), max(high, v), true
		}
	}
	return low, high, ok
}

// sparkWidth is how many signs a line has: a telephone shows so many.
const sparkWidth = 20

// sparks are the signs from the least value to the largest.
var sparks = []rune("▁▂▃▄▅▆▇█")

// sparkline draws values as text: each sign is the largest of its time, and a gap is a space.
func sparkline(values []float64) string {
	low, high, ok := bounds(values)
	if !ok {
		return ""
	}
	n := min(sparkWidth, len(values))
	out := make([]rune, n)
	for i := range n {
		_, top, some := bounds(values[i*len(values)/n : (i+1)*len(values)/n])
		switch {
		case !some:
			out[i] = ' '
		case high == low:
			out[i] = sparks[0]
		default:
			out[i] = sparks[min(int((top-low)/(high-low)*float64(len(sparks))), len(sparks)-1)]
		}
	}
	return strings.TrimSpace(string(out))
}
