package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
)

// Limit is one of the limits that bound what a sender can have the engine read, hold and work out.
type Limit uint8

// The limits of which it is counted how often they took effect.
const (
	LimitAttributesPerResource Limit = iota
	LimitAttributesPerPoint
	LimitAttributeBytes
	LimitAttributeDepth
	LimitTimesPerBatch
	LimitMemory
	LimitSeries
	limitCount
)

// Limits is a set of limits, a bit for each.
type Limits uint32

const _ = Limits(1) << (limitCount - 1) // There is a bit for each.

// Add adds a limit.
func (s *Limits) Add(l Limit) { *s |= 1 << l }

// All goes through the limits of the set.
func (s Limits) All(yield func(Limit) bool) {
	for l := range limitCount {
		if s>>l&1 == 1 && !yield(l) {
			return
		}
	}
}

var limitNames = [limitCount]string{
	"attributes_per_resource", "attributes_per_point", "attribute_bytes", "attribute_depth", "times_per_batch", "memory_mib", "series",
}

// limitTexts say what a limit has cost, after "limits::name is n, and ".
var limitTexts = [limitCount]string{
	LimitAttributesPerResource: "resources have more attributes: those that no rule names are left out",
	LimitAttributesPerPoint:    "data points or scopes have more attributes: those that no rule names are left out",
	LimitAttributeBytes:        "attributes are longer: they are cut or left out",
	LimitAttributeDepth:        "values of attributes are nested more deeply: they are left out",
	LimitTimesPerBatch:         "batches have points of more times for one group: it is evaluated at the newest of them",
	LimitMemory:                "there is more to hold: the rest is not watched; raise the limit, or narrow match",
}

// saidAgainAfter is how long a kind of message is not said again, in nanoseconds of running time.
const saidAgainAfter = 3600 * second

// exceeded is how often a limit took effect, and what of it was not said yet.
type exceeded struct {
	total  uint64
	excess excess
	// number is that of the origin that was counted last, which needs not be named again.
	number uint64
}

// Exceeded counts that data of an origin are beyond a limit. It is said at the next tick, once an hour, with some of the senders.
func (e *Engine) Exceeded(l Limit, o *attr.Origin) {
	x := &e.exceeded[l]
	x.total++
	if x.excess.said {
		return
	}
	if x.number == o.Number() {
		x.excess.count++
		return
	}
	x.number = o.Number()
	e.countExceeded(l, o.Resource)
}

// countExceeded remembers a sender as an example.
func (e *Engine) countExceeded(l Limit, resource []attr.Attr) {
	e.exceeded[l].excess.add(func() string { return senderName(resource) })
}

// limitValue is what a limit is set to.
func (e *Engine) limitValue(l Limit) int64 {
	c := &e.rules.Limits
	return [limitCount]int64{
		int64(c.AttributesPerResource), int64(c.AttributesPerPoint), int64(c.AttributeBytes), int64(c.AttributeDepth), int64(c.TimesPerBatch),
		c.Memory() >> 20, int64(c.Series),
	}[l]
}

// reportExceeded says which limits took effect since it was last said.
func (e *Engine) reportExceeded() {
	for l := range limitCount {
		x := &e.exceeded[l]
		x.excess.sayAgain(e.running)
		if x.excess.count == 0 || x.excess.said || limitTexts[l] == "" {
			continue
		}
		x.number = 0
		e.reportLimit(limitNames[l], &x.excess, "limits::%s is %d, and %s", limitNames[l], e.limitValue(l), limitTexts[l])
	}
}

// reportLimit says what a limit has cost, in a record and in the log.
func (e *Engine) reportLimit(limit string, x *excess, format string, args ...any) {
	count, examples := x.take()
	e.suppressed(event.Event{
		SeverityNumber: warningSeverityNumber, SeverityText: "warning", UID: fmt.Sprintf("limit-%s-%x", limit, e.now),
		Counts: []event.SuppressedCount{{Rule: "limits", Severity: limit, Count: count}},
		Body:   fmt.Sprintf(format, args...) + fmt.Sprintf(" (%d, such as %s)", count, examples),
	}, &x.saidAt)
}
