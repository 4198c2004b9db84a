package events

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestLogLosesNoCount holds over random histories that what was told of and what was withheld are all events, whatever the pipeline takes and when.
func TestLogLosesNoCount(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		l := NewLog(1 + r.IntN(20))
		l.Follow()
		now := time.Unix(1_800_000_000, 0)
		var all, told, withheld [numKinds]uint64
		take := func(n int, events []Event) {
			for _, e := range events[:n] {
				if e.Withheld > 0 {
					withheld[e.Kind] += e.Withheld
				} else {
					told[e.Kind]++
				}
			}
			l.Delivered(n)
		}
		for range 500 {
			now = now.Add(time.Duration(r.IntN(4000)) * time.Millisecond)
			if r.IntN(50) == 0 {
				now = now.Add(-time.Hour) // A clock that was set.
			}
			kind := Kind(r.IntN(int(numKinds)))
			for range r.IntN(30) {
				all[kind]++
				l.Add(now, Event{Kind: kind})
			}
			if r.IntN(3) == 0 {
				events := l.Take(now, false)
				take(r.IntN(len(events)+1), events)
			}
		}
		for range 2 { // The first makes room for what is left to say.
			events := l.Take(now, true)
			require.LessOrEqual(t, len(events), maxWaiting+int(numKinds))
			take(len(events), events)
		}
		for kind := range numKinds {
			assert.Equal(t, all[kind], told[kind]+withheld[kind], "seed %d, %v", seed, kind)
			assert.Equal(t, int64(all[kind]), l.Count(kind))
		}
	}
}

func TestLogLimitsEachKind(t *testing.T) {
	l := NewLog(2)
	l.Follow()
	now := time.Unix(1_800_000_000, 0)
	for range 5 {
		l.Add(now, Event{Kind: ProcessExit})
	}
	l.Add(now, Event{Kind: OOMKill})
	events := l.Take(now, false)
	require.Len(t, events, 3, "one kind takes nothing of another")
	l.Delivered(3)
	assert.Empty(t, l.Take(now.Add(59*time.Second), false))
	assert.Equal(t, []Event{{Kind: ProcessExit, Time: now.Add(time.Minute), Severity: Warning, Withheld: 3}}, l.Take(now.Add(time.Minute), false))
}

// TestLogThatNobodyFollows holds that events are counted, and that nothing is kept of them.
func TestLogThatNobodyFollows(t *testing.T) {
	l := NewLog(2)
	for range 5 {
		l.Add(time.Unix(1, 0), Event{Kind: ProcessExit})
	}
	assert.Equal(t, int64(5), l.Count(ProcessExit))
	assert.Empty(t, l.Take(time.Unix(100, 0), true))
}

func TestKindsHaveNames(t *testing.T) {
	for kind := range numKinds {
		found, ok := KindOf(kind.String())
		assert.True(t, ok)
		assert.Equal(t, kind, found)
	}
	_, ok := KindOf("process.nothing")
	assert.False(t, ok)
}
