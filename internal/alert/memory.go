package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
)

// What things take by the engine's own estimate, in bytes, beside the text that they have.
const (
	seriesSize    = 300
	groupSize     = 300
	resourceSize  = 300
	attributeSize = 48
	sampleSize    = 16
)

// hold counts memory that is held from now on, or no more.
func (e *Engine) hold(bytes int64) { e.held += bytes }

func (r *resource) size() int64 {
	n := int64(resourceSize)
	for i := range r.attrs {
		n += sizeOf(&r.attrs[i])
	}
	return n
}

func sizeOf(a *attr.Attr) int64 {
	return attributeSize + int64(len(a.Key)) + int64(len(a.Value.AsString()))
}

func (g *group) size() int64 { return groupSize + int64(len(g.key)) }

// memory is what the engine holds, by its own estimate: what is counted as it comes and goes, and the samples as of the last tick.
func (e *Engine) memory() int64 { return e.held + e.samplesHeld }

// roomInMemory tells whether there is room for what a sender brings that is new. The last quarter is for those that have been known for longer.
func (e *Engine) roomInMemory(o *attr.Origin) bool {
	limit, held := e.rules.Limits.Memory(), e.memory()
	if held < limit-limit/4 {
		return true
	}
	return held < limit && !e.isJunior(o.Resource)
}

// isJunior tells whether others that may send now have been known for longer than a sender, by limits::known_after at least.
func (e *Engine) isJunior(resource []attr.Attr) bool {
	first := e.running
	if s := e.senderOfResource(resource); s != nil {
		first = s.since
	}
	return e.senders.firstSeenBy(first-int64(e.rules.Limits.KnownAfter)) > 0
}

// samplesLimit is how many samples a series may have: no more than it has where memory is short, and few where no group looks at them.
func (e *Engine) samplesLimit(s *series) int {
	switch {
	case len(s.groups) == 0 && !s.marked(markInput):
		return min(e.rules.Limits.SamplesPerSeries, 2)
	case !e.memoryShort:
		return e.rules.Limits.SamplesPerSeries
	}
	return min(e.rules.Limits.SamplesPerSeries, max(s.Samples.Len(), 2))
}
