package readtest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// Used is what processes of one name used until their end: by the account of those who waited for them, or by the reader.
type Used struct {
	Processes                           uint64
	User, System                        uint64 // µs
	MinorFaults, MajorFaults            uint64
	LogicalReads, LogicalWrites         uint64 // bytes
	DiskReads, DiskWrites               uint64 // bytes
	Voluntary, Involuntary              uint64 // context switches
	WithKey, WithoutAncestor, OtherUser uint64 // of the reader only: processes that a scan has seen; without ancestor; of another user than this one
}

func (u Used) combine(o Used, f func(a, b uint64) uint64) Used {
	return Used{
		Processes: f(u.Processes, o.Processes), User: f(u.User, o.User), System: f(u.System, o.System),
		MinorFaults: f(u.MinorFaults, o.MinorFaults), MajorFaults: f(u.MajorFaults, o.MajorFaults),
		LogicalReads: f(u.LogicalReads, o.LogicalReads), LogicalWrites: f(u.LogicalWrites, o.LogicalWrites),
		DiskReads: f(u.DiskReads, o.DiskReads), DiskWrites: f(u.DiskWrites, o.DiskWrites),
		Voluntary: f(u.Voluntary, o.Voluntary), Involuntary: f(u.Involuntary, o.Involuntary),
		WithKey: f(u.WithKey, o.WithKey), WithoutAncestor: f(u.WithoutAncestor, o.WithoutAncestor), OtherUser: f(u.OtherUser, o.OtherUser),
	}
}

func (u Used) plus(o Used) Used  { return u.combine(o, func(a, b uint64) uint64 { return a + b }) }
func (u Used) minus(o Used) Used { return u.combine(o, func(a, b uint64) uint64 { return a - b }) }

// An Ends sums up by name what a source says of processes that ended.
type Ends struct {
	ByName Storm
	Lost   uint64
	// SomeMissed says that this kernel may not tell of some ends: then up to a hundredth may be missing, and what was told of must be exact only where it is all
	// of a name.
	SomeMissed bool
}

// Collect scans once and takes the ends that are told.
func (e *Ends) Collect(source read.ExitSource) error {
	if e.ByName == nil {
		e.ByName = make(Storm)
	}
	if err := source.Scan(func(*read.Sample) {}); err != nil {
		return err
	}
	uid := uint32(os.Geteuid())
	e.Lost += source.Exits(func(x *read.Exit) {
		t := &x.Totals
		u := Used{
			Processes: x.Processes, User: t[read.CPUUser], System: t[read.CPUSystem], MinorFaults: t[read.MinorFaults], MajorFaults: t[read.MajorFaults],
			LogicalReads: t[read.LogicalReadBytes], LogicalWrites: t[read.LogicalWriteBytes], DiskReads: t[read.DiskReadBytes], DiskWrites: t[read.DiskWriteBytes],
			Voluntary: t[read.VoluntarySwitches], Involuntary: t[read.InvoluntarySwitches],
		}
		if x.Key != (read.Key{}) {
			u.WithKey = x.Processes
		}
		if x.Ancestor == 0 {
			u.WithoutAncestor = x.Processes
		}
		if x.UID != uid {
			u.OtherUser = x.Processes
		}
		e.ByName[x.Comm] = e.ByName[x.Comm].plus(u)
	})
	return nil
}

// Await collects until as many of the storm's processes were told of as there were, or the time is over.
func (e *Ends) Await(source read.ExitSource, storm Storm, limit time.Duration) error {
	for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
		if err := e.Collect(source); err != nil {
			return err
		}
		var told uint64
		for name := range storm {
			told += e.ByName[name].Processes
		}
		if told >= storm.Processes() || time.Now().After(end) {
			return nil
		}
	}
}

// Compare holds what was told of ends against the account of those who waited. It gives what does not hold, and a line for each name.
//
// The kernel adds a child's time to its parent's in nanoseconds; each process that is told of by itself loses less than a microsecond of user and of system time.
// A process that ends runs on for some microseconds after its parent may wait for it, so that more may be told than the parent was given; its last context
// switch comes then, too.
func (e *Ends) Compare(storm Storm) (wrong, lines []string) {
	if e.Lost > 0 {
		wrong = append(wrong, fmt.Sprintf("%d ends were lost", e.Lost))
	}
	var missed uint64
	for _, name := range slices.Sorted(maps.Keys(storm)) {
		truth, told := storm[name], e.ByName[name]
		if e.SomeMissed && told.Processes < truth.Processes {
			missed += truth.Processes - told.Processes
			lines = append(lines, fmt.Sprintf("%-16s %6d processes, and the kernel did not tell of %d", name, truth.Processes, truth.Processes-told.Processes))
			continue
		}
		c := endsOfName{name: name, truth: truth, told: told, someMissed: e.SomeMissed}
		c.compareCounts()
		c.compareTimes()
		c.compareSwitches()
		wrong, lines = append(wrong, c.wrong...), append(lines, c.String())
	}
	if missed > storm.Processes()/100 {
		wrong = append(wrong, fmt.Sprintf("the kernel did not tell of %d ends of %d", missed, storm.Processes()))
	}
	return wrong, lines
}

// endsOfName compares what was told of the processes of one name with the account of those who waited for them.
type endsOfName struct {
	name        string
	truth, told Used
	someMissed  bool
	wrong       []string
}

func (c *endsOfName) fail(format string, args ...any) {
	c.wrong = append(c.wrong, c.name+": "+fmt.Sprintf(format, args...))
}

// compareCounts holds what is the same in both accounts.
func (c *endsOfName) compareCounts() {
	equal := func(what string, truth, told uint64) {
		if truth != told {
			c.fail("%s: %d told of, %d by the parent's account", what, told, truth)
		}
	}
	equal("processes", c.truth.Processes, c.told.Processes)
	equal("minor faults", c.truth.MinorFaults, c.told.MinorFaults)
	equal("major faults", c.truth.MajorFaults, c.told.MajorFaults)
	equal("disk reads", c.truth.DiskReads, c.told.DiskReads)
	equal("disk writes", c.truth.DiskWrites, c.told.DiskWrites)
	if c.truth.LogicalReads > 0 {
		equal("logical reads", c.truth.LogicalReads, c.told.LogicalReads)
		equal("logical writes", c.truth.LogicalWrites, c.told.LogicalWrites)
	}
	if c.told.OtherUser > 0 {
		c.fail("%d of another user", c.told.OtherUser)
	}
}

func (c *endsOfName) compareTimes() {
	user, system := more(c.told.User, c.truth.User), more(c.told.System, c.truth.System)
	floors := int64(2 * c.truth.Processes)
	least := -floors - 1
	if c.someMissed {
		least -= tick // How long the last thread ran on of an end that was not told is estimated.
	}
	if total := user + system; total < least || total > tick+floors {
		c.fail("CPU time: %d µs more told of than the %d by the parent's account", total, c.truth.User+c.truth.System)
	}
	for what, off := range map[string]int64{"user": user, "system": system} {
		// Of a process that a scan has seen the reader holds on to the split that it gave, of which its parent knows nothing: up to a tick for each.
		if most := int64(tick*(1+c.told.WithKey)) + floors; off < -most || off > most {
			c.fail("%s time: %d µs more told of than by the parent's account", what, off)
		}
	}
}

func (c *endsOfName) compareSwitches() {
	fewest := int64(0)
	if c.someMissed {
		fewest = -int64(10 + c.truth.Processes/50) // Those after the end of the last thread are not known.
	}
	for what, off := range map[string]int64{
		"voluntary": more(c.told.Voluntary, c.truth.Voluntary), "involuntary": more(c.told.Involuntary, c.truth.Involuntary),
	} {
		if off < fewest || off > int64(c.truth.Processes) {
			c.fail("%s context switches: %d more told of than by the parent's account", what, off)
		}
	}
}

// String says what there was, and by how much more was told of.
func (c *endsOfName) String() string {
	user, system := more(c.told.User, c.truth.User), more(c.told.System, c.truth.System)
	return fmt.Sprintf("%-16s %6d processes, %9d µs CPU %+d (user %+d, system %+d), %d faults, switches %+d and %+d, %d seen by a scan, %d without ancestor",
		c.name, c.truth.Processes, c.truth.User+c.truth.System, user+system, user, system, c.truth.MinorFaults,
		more(c.told.Voluntary, c.truth.Voluntary), more(c.told.Involuntary, c.truth.Involuntary), c.told.WithKey, c.told.WithoutAncestor)
}

// more is by how much a is more than b.
func more(a, b uint64) int64 { return int64(a) - int64(b) }
