package psutilreceiver

import (
	"context"
	"errors"
	"maps"
	"time"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read/bpf"
)

// otherGroup names the resource of the processes that are not shown.
const otherGroup = "other"

// processScraper shows the processes that use the most, each as a resource of its own, and the rest as one.
type processScraper struct {
	scraperSettings
	cfg           ProcessConfig
	tracker       *process.Tracker
	recorder      processRecorder
	rb            *metadata.ResourceBuilder
	maxAttributes int                          // of the largest resource so far
	text          []byte                       // room for a creation time
	shown         map[read.Key]recordedProcess // of the last scrape, if deltas are computed from the counters
	groups        map[*process.Group]recordedGroup
	cpus          int               // online in the last scrape
	first         pcommon.Timestamp // time of the first scrape, since when unattributed time is counted
	present       time.Time         // of this scrape, see host.Present
	followed      bool              // the receiver in a logs pipeline tells of the processes
	entities      []shownProcess    // of this scrape, if so
	limits        *read.LimitReader // nil if no metric of them is enabled
	cgroups       *processCgroups   // nil if no attribute of them is enabled
	memory        int64             // of the host in bytes, for utilization; 0 when not known
}

// recordedProcess is what the last scrape recorded of a process.
type recordedProcess struct {
	identity unique.Handle[read.Identity] // the resource follows from it and the parent
	parent   int32
	scrape   pcommon.Timestamp
	counters read.Fields // those that were recorded in it
}

// recordedGroup is what the last scrape recorded of a group.
type recordedGroup struct {
	scrape   pcommon.Timestamp
	counters read.Fields
}

func newProcessScraper(cfg ProcessConfig, settings scraperSettings) (scraper, error) {
	source, err := newProcessSource(settings, cfg)
	if err != nil {
		return nil, err
	}
	tracker, err := process.NewTracker(source, cfg.options(settings.metrics, settings.attributes))
	if err != nil {
		return nil, errors.Join(err, source.Close())
	}
	settings.attributes.ProcessCommandLine.Enabled = settings.attributes.ProcessCommandLine.Enabled || cfg.CommandLine
	s := &processScraper{
		scraperSettings: settings, cfg: cfg, tracker: tracker,
		recorder: newProcessRecorder(settings.mb, &settings.metrics), rb: metadata.NewResourceBuilder(settings.attributes),
		shown: make(map[read.Key]recordedProcess), groups: make(map[*process.Group]recordedGroup),
	}
	if settings.metrics.ProcessUnixFileDescriptorLimit.Enabled || settings.metrics.ProcessRlimit.Enabled {
		s.limits = read.NewLimitReader(settings.host.Root())
	}
	if namesCgroup(&settings.attributes) {
		s.cgroups = newProcessCgroups(settings.host.Root())
	}
	if settings.processes != nil {
		settings.processes.scraper = s
	}
	settings.states.set(source)
	s.logAccess(source)
	return s, nil
}

func (s *processScraper) close() error {
	s.states.set(nil)
	return s.tracker.Close()
}

// logAccess logs once what this user may not read of other users' processes.
func (s *processScraper) logAccess(source read.Source) {
	access, err := read.ProbeAccess(s.host.Root())
	if _, ok := source.(*bpf.Reader); ok {
		access = access.OfIdentity()
	}
	if err == nil && access.String() != "" {
		s.logger.Info("Some metrics of processes are left out: " + access.String())
	}
}

func (s *processScraper) scrape(t *scrapeContext) error {
	t.forOthers -= s.processes.took()
	snapshot, err := s.tracker.Scrape(s.trackerContext(t))
	if err != nil {
		return err
	}
	if s.first == 0 {
		s.first = t.time
	}
	s.limits.Begin(t.now)
	s.cgroups.begin(t.now)
	s.followed = s.scraperSettings.shown.followed()
	err = s.readMemory()
	for _, p := range snapshot.Shown {
		s.recordProcess(t, p)
	}
	if s.followed {
		s.scraperSettings.shown.put(s.entities)
		s.entities = nil
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
	maps.DeleteFunc(s.groups, func(_ *process.Group, g recordedGroup) bool { return g.scrape != t.time })
	s.reportTelemetry(snapshot)
	return errors.Join(err, auxiliary(snapshot.ReadErrors.Users))
}

func (s *processScraper) readMemory() error {
	s.memory = 0
	if !s.metrics.ProcessMemoryUtilization.Enabled {
		return nil
	}
	m, err := s.host.Memory()
	if !isLost(err) {
		s.memory = max(m.Total, 0)
	}
	return auxiliary(err)
}

// trackerContext returns what the tracker has to know of this scrape.
func (s *processScraper) trackerContext(t *scrapeContext) process.ScrapeContext {
	boot := t.boot.AsTime()
	s.present = s.host.Present(boot, t.now)
	c := process.ScrapeContext{Now: t.now, Boot: boot, Present: s.present, Elapsed: t.elapsed}
	sample, err := s.host.CPU()
	if isLost(err) || sample.Count <= 0 {
		return c // How many CPUs the host has is not known, and those that this process may use are others.
	}
	// Of CPUs that came or went since the last scrape it is not known when: with all of them no share is above what was.
	c.CPUs = float64(max(sample.Count, s.cpus))
	s.cpus = sample.Count
	if total := &sample.Total; total.User >= 0 && total.Nice >= 0 && total.System >= 0 {
		c.HostCPU = uint64((total.User + total.Nice + total.System) * 1e6)
	}
	return c
}

func (s *processScraper) recordProcess(t *scrapeContext, p *process.Process) {
	created := pcommon.NewTimestampFromTime(p.Created(t.boot.AsTime()))
	s.mb.StartAt(created)
	if s.delta {
		r := s.recorded(p)
		r.scrape, r.counters = t.time, s.recordTotals(t, created, &p.Total, p.Base(), p.Have, r.counters)
		s.shown[p.Key] = r
	} else {
		s.recordTotals(t, created, &p.Total, p.Base(), p.Have, 0)
	}
	s.recorder.recordValues(processValues{
		time: t.time, have: p.Have, levels: &p.Levels,
		delta: &p.Delta, utilization: p.CPUUtilization, hasUtilization: p.HasUtilization,
		uptime: s.present.Sub(created.AsTime()).Seconds(), hostMemory: s.memory, process: p,
	})
	s.recordLimits(t, p)
	s.describe(p, created)
	if s.followed {
		s.entities = append(s.entities, shownProcess{p.Key, processAttributes(s.rb.Attributes())})
	}
	s.mb.EmitForProcess(s.rb)
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

// recordGroup records the sums over the processes of a group. Its counters begin with the receiver's first scrape, which therefore has none of
// them.
func (s *processScraper) recordGroup(t *scrapeContext, g *process.Group, name string) {
	since := pcommon.NewTimestampFromTime(g.Since)
	s.mb.StartAt(since)
	if t.previous != 0 {
		counters := s.recordTotals(t, since, &g.Total, g.Base(), g.Have, s.groups[g].counters)
		s.groups[g] = recordedGroup{scrape: t.time, counters: counters}
	}
	s.recorder.recordValues(processValues{
		time: t.time, have: g.Have, levels: &g.Levels,
		delta: &g.Delta, utilization: g.CPUUtilization, hasUtilization: g.HasUtilization,
		uptime: s.present.Sub(g.Oldest.Created(t.boot.AsTime())).Seconds(), hostMemory: s.memory, group: g,
	})
	s.rb.SetProcessGroupName(name)
	setKnown(g.Labels.Executable, s.rb.SetProcessExecutableName)
	setKnown(g.Labels.Program, s.rb.SetProcessProgramName)
	setKnown(g.Labels.Owner, s.rb.SetProcessOwner)
	setKnown(g.CgroupText, s.rb.SetProcessLinuxCgroup)
	copyAttributes(s.resource.Attributes(), s.rb.Attributes())
	s.mb.EmitForProcess(s.rb)
	t.emit()
}

// describe builds the resource of a process: its own attributes and the host's.
func (s *processScraper) describe(p *process.Process, created pcommon.Timestamp) {
	rb := s.rb
	rb.Grow(s.maxAttributes)
	rb.SetProcessPid(int64(p.PID))
	if p.PPID >= 0 {
		rb.SetProcessParentPid(int64(p.PPID))
	}
	rb.SetProcessCreationTime(s.creationTime(created))
	id := p.Identity()
	setKnown(id.Executable, rb.SetProcessExecutableName)
	setKnown(id.ExecutablePath, rb.SetProcessExecutablePath)
	setKnown(id.Command, rb.SetProcessCommand)
	setKnown(id.CommandLine, rb.SetProcessCommandLine)
	setKnown(id.Program, rb.SetProcessProgramName)
	setKnown(id.Owner, rb.SetProcessOwner)
	setKnown(id.CgroupText, rb.SetProcessLinuxCgroup)
	setKnown(id.ContainerID, rb.SetContainerID)
	s.cgroups.set(rb, id.Cgroup)
	copyAttributes(s.resource.Attributes(), rb.Attributes())
	s.maxAttributes = max(s.maxAttributes, rb.Attributes().Len())
}

func setKnown(value string, set func(string)) {
	if value != "" {
		set(value)
	}
}

// creationTime is ISO 8601 to the hundredth of a second, which is the precision that the kernel gives: as the layout 2006-01-02T15:04:05.00Z has it, which
// takes package time four times as long as the one that it knows.
func (s *processScraper) creationTime(created pcommon.Timestamp) string {
	text := created.AsTime().AppendFormat(s.text[:0], time.RFC3339)
	hundredths := created / 1e7 % 100
	text = append(text[:len(text)-1], '.', byte('0'+hundredths/10), byte('0'+hundredths%10), 'Z')
	s.text = text
	return string(text)
}

func copyAttributes(from, to pcommon.Map) {
	to.EnsureCapacity(to.Len() + from.Len())
	for k, v := range from.All() {
		v.CopyTo(to.PutEmpty(k))
	}
}

// reportTelemetry records how many processes the scrape saw, and how many reads failed.
func (s *processScraper) reportTelemetry(snapshot *process.Snapshot) {
	ctx := context.Background()
	shown := len(snapshot.Shown)
	for _, g := range snapshot.Groups {
		shown += g.Members
	}
	for _, c := range []struct {
		state metadata.AttributeTelemetryProcessSelection
		n     int
	}{
		{metadata.AttributeTelemetryProcessSelectionSeen, snapshot.Seen},
		{metadata.AttributeTelemetryProcessSelectionShown, shown},
		{metadata.AttributeTelemetryProcessSelectionExcluded, snapshot.Excluded.Members},
	} {
		s.telemetry.PsutilProcesses.Record(ctx, int64(c.n), metric.WithAttributes(attribute.String("state", c.state.String())))
	}
	if snapshot.LostEnds > 0 {
		s.telemetry.PsutilProcessEndsLost.Add(ctx, int64(snapshot.LostEnds))
	}
	for file := range read.NumFiles {
		for _, c := range []struct {
			reason metadata.AttributeTelemetryProcessReadError
			n      int
		}{
			{metadata.AttributeTelemetryProcessReadErrorDenied, snapshot.ReadErrors.Denied[file]},
			{metadata.AttributeTelemetryProcessReadErrorMalformed, malformedOf(snapshot.ReadErrors, file)},
			{metadata.AttributeTelemetryProcessReadErrorOther, snapshot.ReadErrors.Failed[file]},
		} {
			if c.n > 0 {
				s.telemetry.PsutilProcessReadsFailed.Add(ctx, int64(c.n),
					metric.WithAttributes(attribute.String("file", file.String()), attribute.String("reason", c.reason.String())))
			}
		}
	}
}

// malformedOf is how often a file had text that is not what proc(5) promises, or a value that can't be.
func malformedOf(errors *read.Errors, file read.File) int {
	if file == read.FileStat {
		return errors.Malformed[file] + errors.OddStat
	}
	return errors.Malformed[file]
}
