package psutilreceiver

import (
	"context"
	"maps"
	"runtime"
	"time"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// otherGroup names the resource of the processes that are not shown.
const otherGroup = "other"

// processScraper shows the processes that matter, each as a resource of its own, and the rest as one.
type processScraper struct {
	scraperSettings
	cfg     ProcessConfig
	tracker *process.Tracker
	rb      *metadata.ResourceBuilder
	room    int                          // attributes of the largest resource so far
	shown   map[read.Key]recordedProcess // of the last scrape, where deltas are made
	groups  map[*process.Group]processGroup
	first   pcommon.Timestamp // time of the first scrape, since when unattributed time is counted
	present time.Time         // of this scrape, see host.Present
	memory  int64             // of the host in bytes, for utilization; 0 when not known
}

// recordedProcess is what the last scrape recorded of a process.
type recordedProcess struct {
	identity unique.Handle[read.Identity] // the resource follows from it and the parent
	parent   int32
	scrape   pcommon.Timestamp
	counted  read.Fields // counters that were recorded in it
}

// processGroup is what the last scrape recorded of a group.
type processGroup struct {
	scrape  pcommon.Timestamp
	counted read.Fields
}

func newProcessScraper(cfg ProcessConfig, env scraperSettings) (scraper, error) {
	tracker, err := process.NewTracker(read.New(env.host.Root()), cfg.options(env.metrics, env.attributes))
	if err != nil {
		return nil, err
	}
	env.attributes.ProcessCommandLine.Enabled = env.attributes.ProcessCommandLine.Enabled || cfg.CommandLine
	s := &processScraper{
		scraperSettings: env, cfg: cfg, tracker: tracker, rb: metadata.NewResourceBuilder(env.attributes),
		shown: make(map[read.Key]recordedProcess), groups: make(map[*process.Group]processGroup),
	}
	s.tellAccess()
	return s, nil
}

func (s *processScraper) close() error { return s.tracker.Close() }

// tellAccess says once what this user may not see of the processes of others.
func (s *processScraper) tellAccess() {
	access, err := read.ProbeAccess(s.host.Root())
	if err == nil && access.String() != "" {
		s.logger.Info("Some figures of other users' processes are left out: " + access.String())
	}
}

func (s *processScraper) scrape(t *scrapeContext) error {
	snapshot, err := s.tracker.Scrape(s.processTick(t))
	if err != nil {
		return err
	}
	if s.first == 0 {
		s.first = t.time
	}
	err = s.readMemory()
	for _, p := range snapshot.Shown {
		s.recordProcess(t, p)
	}
	for _, g := range snapshot.Groups {
		s.recordGroup(t, g, g.Labels.Name())
	}
	if s.cfg.Other {
		s.recordGroup(t, snapshot.Other, otherGroup)
	}
	if snapshot.HasUnattributed && t.previous != 0 {
		s.mb.Reset(metadata.WithStartTime(s.first))
		s.mb.RecordSystemProcessCPUUnattributedDataPoint(t.time, cpuSeconds(snapshot.Unattributed))
	}
	maps.DeleteFunc(s.shown, func(_ read.Key, r recordedProcess) bool { return r.scrape != t.time })
	maps.DeleteFunc(s.groups, func(_ *process.Group, g processGroup) bool { return g.scrape != t.time })
	s.count(snapshot)
	return err
}

func (s *processScraper) readMemory() error {
	s.memory = 0
	if !s.metrics.ProcessMemoryUtilization.Enabled {
		return nil
	}
	m, err := s.host.Memory()
	if err == nil {
		s.memory = m.Total
	}
	return auxiliary(err)
}

func (s *processScraper) processTick(t *scrapeContext) process.ScrapeContext {
	boot := t.boot.AsTime()
	s.present = s.host.Present(boot, t.now)
	tick := process.ScrapeContext{Now: t.now, Boot: boot, Present: s.present, Elapsed: t.elapsed, CPUs: float64(runtime.NumCPU())}
	if sample, err := s.host.CPU(); err == nil && len(sample.PerCPU) > 0 {
		tick.CPUs = float64(len(sample.PerCPU))
		tick.HostCPU = uint64((sample.Total.User + sample.Total.Nice + sample.Total.System) * 1e6)
	}
	return tick
}

// cpuSeconds turns the tracker's microseconds into seconds.
func cpuSeconds(us uint64) float64 { return float64(us) / 1e6 }

func (s *processScraper) recordProcess(t *scrapeContext, p *process.Process) {
	created := pcommon.NewTimestampFromTime(p.Created(t.boot.AsTime()))
	s.mb.Reset(metadata.WithStartTime(created))
	base := p.Base()
	if s.delta {
		r := s.recorded(p)
		r.scrape, r.counted = t.time, s.recordTotals(t, created, &p.Total, &base, p.Have, r.counted)
		s.shown[p.Key] = r
	} else {
		s.recordTotals(t, created, &p.Total, &base, p.Have, 0)
	}
	s.recordLevels(t.time, &p.Levels, p.Have)
	if p.HasUtilization {
		s.recordUtilization(t.time, p.CPUUtilization, &p.Delta)
	}
	if p.HasWindow {
		s.mb.RecordProcessCPUUtilizationWindowDataPoint(t.time, p.WindowUtilization[0], metadata.AttributeCPUModeUser)
		s.mb.RecordProcessCPUUtilizationWindowDataPoint(t.time, p.WindowUtilization[1], metadata.AttributeCPUModeSystem)
	}
	if p.Have&read.FieldScheduling != 0 {
		s.mb.RecordProcessStatusDataPoint(t.time, 1, processStates[stateIndex(p.State)])
		s.mb.RecordProcessNiceDataPoint(t.time, int64(p.Nice))
	}
	s.mb.RecordProcessUptimeDataPoint(t.time, s.present.Sub(created.AsTime()).Seconds())
	s.mb.EmitForResource(metadata.WithMovedResource(s.describe(p, created)))
	t.emit()
}

// recorded returns what the last scrape recorded of a process under the resource that it has now: what changes the resource begins new streams.
func (s *processScraper) recorded(p *process.Process) recordedProcess {
	r := s.shown[p.Key]
	if r.identity != p.IdentityHandle() || r.parent != p.PPID {
		r = recordedProcess{identity: p.IdentityHandle(), parent: p.PPID}
	}
	return r
}

// recordGroup records the sum over processes that are taken together. Their counters begin with the receiver's first scrape, in which
// there is therefore nothing to tell of them.
func (s *processScraper) recordGroup(t *scrapeContext, g *process.Group, name string) {
	since := pcommon.NewTimestampFromTime(g.Since)
	s.mb.Reset(metadata.WithStartTime(since))
	s.mb.RecordProcessGroupProcessCountDataPoint(t.time, int64(g.Members))
	s.recordLevels(t.time, &g.Levels, g.Have)
	if t.previous != 0 {
		base := g.Base()
		counted := s.recordTotals(t, since, &g.Total, &base, g.Have, s.groups[g].counted)
		s.groups[g] = processGroup{scrape: t.time, counted: counted}
	}
	if g.HasUtilization {
		s.recordUtilization(t.time, g.CPUUtilization, &g.Delta)
	}
	s.rb.SetProcessGroupName(name)
	setKnown(g.Labels.Executable, s.rb.SetProcessExecutableName)
	setKnown(g.Labels.Owner, s.rb.SetProcessOwner)
	setKnown(g.Labels.Cgroup, s.rb.SetProcessLinuxCgroup)
	resource := s.rb.Emit()
	copyAttributes(s.resource, resource)
	s.mb.EmitForResource(metadata.WithMovedResource(resource))
	t.emit()
}

// describe builds the resource of a process: its own attributes and the host's.
func (s *processScraper) describe(p *process.Process, created pcommon.Timestamp) pcommon.Resource {
	rb := s.rb
	rb.Grow(s.room)
	rb.SetProcessPid(int64(p.PID))
	rb.SetProcessParentPid(int64(p.PPID))
	rb.SetProcessCreationTime(created.AsTime().Format(creationTimeLayout))
	id := p.Identity()
	setKnown(id.Executable, rb.SetProcessExecutableName)
	setKnown(id.ExecutablePath, rb.SetProcessExecutablePath)
	setKnown(id.Command, rb.SetProcessCommand)
	setKnown(id.CommandLine, rb.SetProcessCommandLine)
	setKnown(id.Owner, rb.SetProcessOwner)
	setKnown(id.Cgroup, rb.SetProcessLinuxCgroup)
	setKnown(id.ContainerID, rb.SetContainerID)
	resource := rb.Emit()
	copyAttributes(s.resource, resource)
	s.room = max(s.room, resource.Attributes().Len())
	return resource
}

func setKnown(value string, set func(string)) {
	if value != "" {
		set(value)
	}
}

// creationTimeLayout is ISO 8601 to the hundredth of a second, which is as exactly as the kernel tells it.
const creationTimeLayout = "2006-01-02T15:04:05.00Z"

func copyAttributes(from, to pcommon.Resource) {
	for k, v := range from.Attributes().All() {
		v.CopyTo(to.Attributes().PutEmpty(k))
	}
}

// count reports what the scrape saw, and what could not be read of it.
func (s *processScraper) count(snapshot *process.Snapshot) {
	ctx := context.Background()
	shown := len(snapshot.Shown)
	for _, g := range snapshot.Groups {
		shown += g.Members
	}
	for _, c := range []struct {
		state string
		n     int
	}{{"seen", snapshot.Seen}, {"shown", shown}, {"excluded", snapshot.Excluded.Members}} {
		s.telemetry.PsutilProcesses.Record(ctx, int64(c.n), metric.WithAttributes(attribute.String("state", c.state)))
	}
	for file := range read.NumFiles {
		for _, c := range []struct {
			reason string
			n      int
		}{
			{"denied", snapshot.ReadErrors.Denied[file]}, {"malformed", snapshot.ReadErrors.Malformed[file]}, {"other", snapshot.ReadErrors.Failed[file]},
		} {
			if c.n > 0 {
				s.telemetry.PsutilProcessReadsFailed.Add(ctx, int64(c.n),
					metric.WithAttributes(attribute.String("file", file.String()), attribute.String("reason", c.reason)))
			}
		}
	}
}
