package history

import (
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Kind says how the samples of a metric are read.
type Kind uint8

// The kinds of metrics.
const (
	Gauge        Kind = iota // A level.
	Counter                  // A total that only grows; read as its change a second.
	Distribution             // A histogram; read as its p95, minimum and maximum.
)

var kindNames = []string{"gauge", "counter", "distribution"}

// String returns the kind as the API has it.
func (k Kind) String() string { return kindNames[k] }

// Key identifies a series: a hash of its resource, metric and attributes that nobody can prepare collisions for.
type Key struct{ A, B uint64 }

// Attribute is a key with its value as text.
type Attribute struct{ Key, Value string }

// Text that others send is cut to these lengths, in bytes.
const (
	maxValueText  = 256
	maxMetricText = 1024
	maxAttributes = 32
)

// Bytes of the heap that a thing takes, about.
const (
	seriesSize = 640
	metricSize = 200
	refSize    = 16
)

// metric is what series of one name, unit and kind share.
type metric struct {
	name, unit, description string
	kind                    Kind
	keys                    []string // Attributes, in the order in which they were first seen.
	series                  []*series
	listed                  bool // The store knows it.
}

func (m *metric) size() int { return len(m.name) + len(m.unit) + len(m.description) + metricSize }

func (m *metric) values() int {
	if m.kind == Distribution {
		return width
	}
	return 1
}

// valueUnit is the unit of the values as they are read.
func (m *metric) valueUnit() string {
	switch {
	case m.kind != Counter:
		return m.unit
	case m.unit == "s":
		return "1"
	case m.unit == "" || m.unit == "1":
		return "1/s"
	default:
		return m.unit + "/s"
	}
}

// series is one stream of samples.
type series struct {
	id       uint32
	key      Key
	name     string // Of a series that was loaded and has no key yet.
	metric   *metric
	resource int
	texts    []*string // In the order of metric.keys; nil where it has not got the attribute. May be shorter.
	size     int       // Bytes of its text.
	axis     *axis

	start    int64 // Start time of the counter, in the sender's nanoseconds.
	ordinal  uint32
	distance uint32 // From the ordinal before.
	settled  bool   // It has had two samples on its axis.
	time     int64
	raw      float64        // The last total.
	last     [width]float64 // The last sample as it is read; NaN if there is none.
	fine     column
	coarse   []column
	interval []interval // What is open in each coarser tier.
}

// interval is what a series did in one interval of a coarser tier so far.
type interval struct {
	number        uint32 // Of the interval, from the base of the tier.
	weight, total float64
	min, max      float64
	newest        int64
}

func (v *interval) add(weight, value, low, high float64) {
	if v.weight == 0 {
		v.min, v.max = low, high
	}
	v.weight += weight
	v.total += weight * value
	v.min, v.max = min(v.min, low), max(v.max, high)
}

func (v *interval) average() float64 { return v.total / v.weight }

// observe takes a sample, and returns how much the heap grew. start is the sender's start time.
func (s *Store) observe(x *series, t, start int64, values [width]float64) int {
	grown := 0
	ordinal := x.axis.lastOrdinal()
	if x.metric.kind == Counter && start != x.start && x.start != 0 && start != 0 {
		grown += x.fine.cut(&s.tiers[0].log)
	}
	read, weight := values, 1.0
	if x.metric.kind == Counter {
		read, weight = [width]float64{math.NaN()}, 0
		line := timeline{base: x.axis.base, times: x.axis.times}
		if x.time != 0 && !x.fine.restarted() && values[0] >= x.raw && !line.apart(x.ordinal, ordinal, x.distance) {
			weight = float64(t-x.time) / 1e6
			read[0] = (values[0] - x.raw) / weight
		}
	}
	grown += x.fine.put(&s.tiers[0].log, ordinal, t, values[:x.metric.values()]...)
	if x.time != 0 {
		x.distance = ordinal - x.ordinal
	}
	x.start, x.ordinal, x.time, x.raw, x.last = start, ordinal, t, values[0], read
	if weight == 0 {
		return grown
	}
	low, high := read[0], read[0]
	if x.metric.kind == Distribution {
		low, high = read[1], read[2]
	}
	for i := range x.interval {
		grown += s.observeCoarse(x, i, t, weight, read[0], low, high)
	}
	return grown
}

func (s *Store) observeCoarse(x *series, i int, t int64, weight, value, low, high float64) int {
	tier, v := &s.tiers[i+1], &x.interval[i]
	grown := 0
	number := tier.number(t)
	if v.weight > 0 && number != v.number {
		grown = x.flush(i, tier)
	}
	v.number, v.newest = number, t
	largest := v.total
	known := v.weight > 0
	v.add(weight, value, low, high)
	if x.metric.kind == Distribution { // Of percentiles the largest is kept: a mean of them says nothing.
		v.weight, v.total = 1, value
		if known {
			v.total = max(value, largest)
		}
	}
	return grown
}

// flush stores the interval that is open in a coarser tier.
func (x *series) flush(i int, tier *tier) int {
	v := &x.interval[i]
	if v.weight == 0 {
		return 0
	}
	grown := x.coarse[i].put(&tier.log, v.number, v.newest, shorten(v.average()), shorten(v.min), shorten(v.max))
	*v = interval{}
	return grown
}

// shorten rounds to what a float32 holds; the codec then needs fewer bits.
func shorten(v float64) float64 {
	if math.Abs(v) > math.MaxFloat32 {
		return v
	}
	return float64(float32(v))
}

// clean returns text as it is if it is short and valid, and else as cut does.
func clean(text string, limit int) string {
	if len(text) <= limit && utf8.ValidString(text) {
		return text
	}
	return cut(text, limit)
}

// cut shortens text to a length, at a character, and makes it valid UTF-8.
func cut(text string, limit int) string {
	if len(text) > limit {
		text = text[:limit]
		for text != "" && !utf8.ValidString(text[max(0, len(text)-utf8.UTFMax):]) && len(text) > limit-utf8.UTFMax {
			text = text[:len(text)-1]
		}
		text += "…"
	}
	return strings.Clone(strings.ToValidUTF8(text, "\uFFFD"))
}

// describe sets the attributes of a series, and the keys of its metric that are new.
func (x *series) describe(attributes []Attribute) {
	for _, a := range attributes[:min(len(attributes), maxAttributes)] {
		key := cut(a.Key, maxValueText)
		i := slices.Index(x.metric.keys, key)
		if i < 0 {
			if len(x.metric.keys) >= maxAttributes {
				continue
			}
			i = len(x.metric.keys)
			x.metric.keys = append(x.metric.keys, key)
			x.size += len(key)
		}
		for len(x.texts) <= i {
			x.texts = append(x.texts, nil)
		}
		value := cut(a.Value, maxValueText)
		x.texts[i] = &value
		x.size += len(value) + 24
	}
}
