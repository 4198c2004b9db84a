package stream

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

// startsCycle is one scrape of Starts: what is there, by name and identity, and
// the starts that are expected of it.
type startsCycle struct {
	story   string
	at      pcommon.Timestamp
	partial bool
	aborted bool // the scrape was begun and never ended
	things  map[string]uint64
	want    map[string]pcommon.Timestamp
	tracked int
}

func TestStarts(t *testing.T) {
	t.Parallel()
	const boot = 5
	for name, cycles := range map[string][]startsCycle{
		"hot_plug": {
			{
				story: "what is there at first counts since boot", at: 100,
				things: map[string]uint64{"sda": 1, "sdb": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot}, tracked: 2,
			},
			{
				story: "nothing changes", at: 115,
				things: map[string]uint64{"sda": 1, "sdb": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot}, tracked: 2,
			},
			{
				story: "a stick is plugged in: it was not there at 115", at: 130,
				things: map[string]uint64{"sda": 1, "sdb": 1, "sdc": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot, "sdc": 115}, tracked: 3,
			},
			{
				story: "the stick is pulled", at: 145,
				things: map[string]uint64{"sda": 1, "sdb": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot}, tracked: 2,
			},
			{
				story: "and plugged in again: new, though it looks the same", at: 160,
				things: map[string]uint64{"sda": 1, "sdb": 1, "sdc": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot, "sdc": 145}, tracked: 3,
			},
			{
				story: "its start stays", at: 175,
				things: map[string]uint64{"sda": 1, "sdb": 1, "sdc": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot, "sdc": 145}, tracked: 3,
			},
		},
		"recreated_between_two_scrapes": {
			{story: "veth0 since boot", at: 100, things: map[string]uint64{"veth0": 7}, want: map[string]pcommon.Timestamp{"veth0": boot}, tracked: 1},
			{story: "another interface of that name", at: 115, things: map[string]uint64{"veth0": 8}, want: map[string]pcommon.Timestamp{"veth0": 100}, tracked: 1},
			{story: "which stays", at: 130, things: map[string]uint64{"veth0": 8}, want: map[string]pcommon.Timestamp{"veth0": 100}, tracked: 1},
		},
		"first_scrape_incomplete": {
			{story: "the disk list could not be read", at: 100, partial: true, tracked: 0},
			{story: "nor was the next scrape ended", at: 110, aborted: true, things: map[string]uint64{"sda": 1}, want: map[string]pcommon.Timestamp{"sda": boot}, tracked: 1},
			{
				story: "all disks were there before anybody looked", at: 115,
				things: map[string]uint64{"sda": 1, "sdb": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot}, tracked: 2,
			},
		},
		"partial_scrape_proves_no_absence": {
			{story: "two disks", at: 100, things: map[string]uint64{"sda": 1, "sdb": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot}, tracked: 2},
			{story: "one cannot be read", at: 115, partial: true, things: map[string]uint64{"sda": 1}, want: map[string]pcommon.Timestamp{"sda": boot}, tracked: 2},
			{
				story: "it is the old one; a third may have been there at 115 unseen", at: 130,
				things: map[string]uint64{"sda": 1, "sdb": 1, "sdc": 1}, want: map[string]pcommon.Timestamp{"sda": boot, "sdb": boot, "sdc": 100}, tracked: 3,
			},
		},
		"replaced_during_a_gap": {
			{story: "a disk", at: 100, things: map[string]uint64{"sda": 1}, want: map[string]pcommon.Timestamp{"sda": boot}, tracked: 1},
			{story: "seen in a partial scrape", at: 115, partial: true, things: map[string]uint64{"sda": 1}, want: map[string]pcommon.Timestamp{"sda": boot}, tracked: 1},
			{story: "not seen in another", at: 130, partial: true, tracked: 1},
			{story: "replaced, at some time after it was last seen", at: 145, things: map[string]uint64{"sda": 2}, want: map[string]pcommon.Timestamp{"sda": 115}, tracked: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			starts := NewStarts(boot)
			for _, c := range cycles {
				starts.Begin(c.at)
				for key, identity := range c.things {
					assert.Equal(t, c.want[key], starts.Start(key, identity), "%s: %s", c.story, key)
					assert.Equal(t, c.want[key], starts.Start(key, identity), "%s: %s called twice", c.story, key)
				}
				if !c.aborted {
					starts.End(!c.partial)
				}
				assert.Equal(t, c.tracked, starts.Tracked(), c.story)
			}
		})
	}
}

// Two things of one name in one scrape are no restart within it.
func TestStartsOfANameThatIsNotUnique(t *testing.T) {
	t.Parallel()
	starts := NewStarts(5)
	starts.Begin(100)
	assert.Equal(t, pcommon.Timestamp(5), starts.Start("sda", 1))
	assert.Equal(t, pcommon.Timestamp(5), starts.Start("sda", 2))
	starts.End(true)
	starts.Begin(115)
	assert.Equal(t, pcommon.Timestamp(5), starts.Start("sda", 2))
}

func TestStartsAllocatesNothingInSteadyState(t *testing.T) {
	starts := NewStarts(5)
	now := pcommon.Timestamp(100)
	names := []string{"sda", "sdb", "nvme0n1", "dm-0"}
	scrape := func() {
		starts.Begin(now)
		for i, name := range names {
			starts.Start(name, uint64(i))
		}
		starts.End(true)
		now++
	}
	scrape()
	assert.Zero(t, testing.AllocsPerRun(100, scrape))
}
