package process

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestConservationOverRandomHistoriesWithEnds: whatever was used by anyone, until its last moment and however short its life, is in exactly one
// place, in the scrape in which the source has told of it.
func TestConservationOverRandomHistoriesWithEnds(t *testing.T) {
	options := maps.Clone(historyOptions)
	options["groups_of_cgroups"] = Options{GroupBy: []GroupKey{GroupCgroup, GroupUnit}}
	options["groups_by_program"] = Options{GroupBy: []GroupKey{GroupProgram}}
	options["window"] = Options{Window: 3}
	for name, o := range options {
		o.Fields |= ioFields
		for _, renames := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/renames_%v", name, renames), func(t *testing.T) {
				t.Parallel()
				for seed := range uint64(6) {
					w := newEndsWorld(seed, renames)
					endsHistory{history{t: t, options: o, world: w.world}, w}.run()
					if t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
		}
	}
}

type endsHistory struct {
	history
	w *endsWorld
}

func (h endsHistory) run() {
	w := h.w
	tracker := newTracker(h.t, w.source, h.options)
	totals := map[any]read.Totals{}
	var before map[string]read.Totals
	counted := map[string]read.Totals{}
	var lost uint64
	for n := range 60 {
		for range w.random.IntN(30) {
			w.live()
		}
		w.scan()
		at := second(n)
		at.Now = at.Boot.Add(time.Duration(w.clock) * 10 * time.Millisecond)
		s, err := tracker.Scrape(at)
		if w.source.breakAfter > 0 {
			require.ErrorIs(h.t, err, errFake)
			continue
		}
		require.NoError(h.t, err)
		lost += s.LostEnds
		h.count(s, counted)
		if n == 0 {
			before = w.used()
		}
		h.compare(n, before, counted)
		h.neverFalls(totals, s)
		_, levels, members := addUp(s)
		var resident uint64
		for _, p := range w.source.processes {
			resident += p.Levels[read.Resident]
		}
		assert.Equal(h.t, resident, levels[read.Resident])
		assert.Equal(h.t, len(w.source.processes), members)
		assert.Len(h.t, tracker.byPID, len(w.source.processes))
		h.bounded(tracker)
	}
	assert.Equal(h.t, w.dropped, lost)
	assert.Positive(h.t, lost)
	h.forgets(tracker)
}

// count adds the deltas of a scrape to those of the ones before, in all and by the executable of groups.
func (h endsHistory) count(s *Snapshot, counted map[string]read.Totals) {
	sum, _, _ := addUp(s)
	total := counted[""]
	advance(&total, &sum)
	counted[""] = total
	for _, g := range s.Groups {
		total := counted[g.Labels.Executable]
		if g.Labels.Executable != "" {
			advance(&total, &g.Delta)
			counted[g.Labels.Executable] = total
		}
	}
}

func (h endsHistory) compare(n int, before, counted map[string]read.Totals) {
	for name, used := range h.w.used() {
		byName := !h.w.renames && len(h.options.GroupBy) > 0 && h.options.GroupBy[0] == GroupExecutable && h.options.Top.N == 0
		switch {
		case name == "":
		case !byName, name == "hidden" && !h.options.Filter.empty():
			continue
		}
		base, got := before[name], counted[name]
		got[read.CPUUser] += got[read.ReapedUser]
		got[read.CPUSystem] += got[read.ReapedSystem]
		for _, c := range []read.Counter{
			read.CPUUser, read.CPUSystem, read.MinorFaults, read.MajorFaults,
			read.DiskReadBytes, read.DiskWriteBytes, read.LogicalReadBytes, read.LogicalWriteBytes,
		} {
			if c.Field()&ioFields != 0 && !h.options.Filter.empty() {
				continue // Not read of what is excluded.
			}
			if used[c]-base[c] != got[c] {
				h.t.Errorf("scrape %d: counter %d of %q is %d, of %d that were used", n, c, name, got[c], used[c]-base[c])
			}
		}
	}
}

// bounded holds that nothing is kept but what is needed.
func (h endsHistory) bounded(tracker *Tracker) {
	awaited := 0
	for _, g := range tracker.groups.list {
		assert.GreaterOrEqual(h.t, g.awaited, 0)
		awaited += g.awaited
	}
	assert.LessOrEqual(h.t, awaited, len(tracker.ends.awaited))
	assert.Len(h.t, tracker.groups.byLabels, len(tracker.groups.list))
	for _, p := range tracker.previous {
		if _, found := tracker.ends.awaited[p.Key]; found {
			h.t.Errorf("%v is alive and awaited", p.Key)
		}
	}
}

// forgets holds that ends that never come are not awaited for ever, nor the groups kept for them.
func (h endsHistory) forgets(tracker *Tracker) {
	h.w.source.told, h.w.source.processes, h.w.source.breakAfter = nil, h.w.source.processes[:1], 0
	for n := range int(awaitedTime/time.Second) + awaitedFor + 3 {
		scrape(h.t, tracker, 100+n)
	}
	assert.Empty(h.t, tracker.ends.awaited)
	assert.LessOrEqual(h.t, len(tracker.groups.list), 1)
}
