package points

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// stream makes points of one stream from start, time and value.
func stream(kind Kind, triples ...[3]int64) Points {
	var ps Points
	for i, t := range triples {
		ps = append(ps, &Point{Metric: "m", Kind: kind, Start: t[0], Time: t[1], Value: float64(t[2]), Batch: i, stream: "m"})
	}
	return ps
}

func TestCheckFindsEachFault(t *testing.T) {
	for name, c := range map[string]struct {
		points  Points
		allowed Allowed
		found   int
	}{
		"a total that grows":                 {points: stream(Total, [3]int64{1, 2, 5}, [3]int64{1, 3, 5}, [3]int64{1, 4, 7})},
		"a new start at the previous point":  {points: stream(Total, [3]int64{1, 2, 5}, [3]int64{2, 3, 0})},
		"a total that falls":                 {points: stream(Total, [3]int64{1, 2, 5}, [3]int64{1, 3, 4}), found: 1},
		"a new start before the last point":  {points: stream(Total, [3]int64{1, 3, 5}, [3]int64{2, 4, 6}), found: 1},
		"a start that falls":                 {points: stream(Total, [3]int64{2, 3, 5}, [3]int64{1, 4, 6}), found: 1},
		"a point twice":                      {points: stream(Total, [3]int64{1, 3, 5}, [3]int64{1, 3, 5}), found: 1},
		"a time that falls":                  {points: stream(Gauge, [3]int64{1, 3, 5}, [3]int64{1, 2, 5}), found: 1},
		"a time that falls by the clock":     {points: stream(Gauge, [3]int64{1, 3, 5}, [3]int64{1, 2, 5}), allowed: Allowed{StepsBack: 1}},
		"deltas side by side":                {points: stream(Delta, [3]int64{1, 2, 5}, [3]int64{2, 3, 0})},
		"deltas that overlap":                {points: stream(Delta, [3]int64{1, 3, 5}, [3]int64{2, 4, 0}), found: 1},
		"an empty interval":                  {points: stream(Delta, [3]int64{2, 2, 5}), found: 1},
		"a negative value":                   {points: stream(Delta, [3]int64{1, 2, -5}), found: 1},
		"a level that falls":                 {points: stream(Level, [3]int64{1, 2, 5}, [3]int64{1, 3, 4})},
		"a counter that began at no instant": {points: stream(Total, [3]int64{0, 2, 5}), found: 1},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Len(t, Check(c.points, c.allowed), c.found)
		})
	}
}

func TestCheckAddsThePartsOfAWhole(t *testing.T) {
	part := func(metric, state string, value float64) *Point {
		return &Point{Metric: metric, Attributes: map[string]string{"system.memory.state": state}, Value: value, stream: metric + state}
	}
	limit := &Point{Metric: "system.memory.limit", Value: 10, stream: "limit"}
	assert.Empty(t, Check(Points{part("system.memory.usage", "used", 3), part("system.memory.usage", "free", 7), limit}, Allowed{}))
	assert.Len(t, Check(Points{part("system.memory.usage", "used", 3), part("system.memory.usage", "free", 6), limit}, Allowed{}), 1)
}
