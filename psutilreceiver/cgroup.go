package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/cgroup"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/containerstate"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// cgroupScraper shows the control groups that use the most, each as a resource of its own, and the rest as one: containers, services, and what else
// is in no other group that is shown.
type cgroupScraper struct {
	scraperSettings
	cfg        CgroupConfig
	groups     *host.Cgroups
	names      *containerstate.Reader
	rb         *metadata.ResourceBuilder
	rows       []cgroupMetric
	io         bool
	selection  cgroupSelection
	known      map[*host.Cgroup]*knownCgroup
	candidates []*knownCgroup // of this scrape
	rest       cgroupRest
	first      pcommon.Timestamp // of the first scrape, since when the rest counts
	scan       uint64
}

// knownCgroup is what the scraper knows of a group.
type knownCgroup struct {
	*host.Cgroup
	container containerstate.Container
	start     pcommon.Timestamp
	selected  bool
	shown     bool
	recorded  bool // in the last scrape, too
	scan      uint64
	member    [3]bool // shown by each key in the last scrape
}

func newCgroupScraper(cfg CgroupConfig, settings scraperSettings) (scraper, error) {
	identify(&settings.attributes)
	s := &cgroupScraper{
		scraperSettings: settings, cfg: cfg, rb: metadata.NewResourceBuilder(settings.attributes),
		names: containerstate.NewReader(settings.host.Root()), selection: newCgroupSelection(&cfg), known: make(map[*host.Cgroup]*knownCgroup),
	}
	var wanted cgroup.Wanted
	for _, m := range cgroupMetrics {
		if m.enabled(&settings.metrics) {
			s.rows = append(s.rows, m)
			for _, v := range m.values {
				wanted.Values[v] = true
			}
		}
	}
	if settings.metrics.ContainerCPUUsage.Enabled || settings.metrics.ContainerCPULimitUtilization.Enabled || cfg.ranksBy(rankCPU) {
		wanted.Values[cgroup.CPUUser], wanted.Values[cgroup.CPUSystem] = true, true
	}
	if settings.metrics.ContainerCPULimitUtilization.Enabled {
		wanted.Values[cgroup.CPULimit] = true
	}
	if settings.metrics.ContainerMemoryLimitUtilization.Enabled || cfg.ranksBy(rankMemory) {
		for _, v := range workingSetValues {
			wanted.Values[v] = true
		}
	}
	if settings.metrics.ContainerMemoryLimitUtilization.Enabled {
		wanted.Values[cgroup.MemoryLimit] = true
	}
	s.io = settings.metrics.ContainerDiskIo.Enabled || settings.metrics.ContainerDiskOperations.Enabled
	wanted.IO = s.io || cfg.ranksBy(rankDiskIO)
	s.groups = host.NewCgroups(settings.host, host.CgroupOptions{Wanted: wanted, Depth: cfg.Depth})
	return s, nil
}

// identify enables the attributes that a group has on its resource in any case; the configuration says which of them processes have, too.
func identify(a *metadata.ResourceAttributesConfig) {
	for _, attribute := range []*metadata.ResourceAttributeConfig{
		&a.ContainerID, &a.ContainerImageName, &a.ContainerName, &a.ContainerRuntimeName, &a.K8sContainerName, &a.K8sNamespaceName, &a.K8sPodName,
		&a.K8sPodUID, &a.LinuxCgroupPath, &a.SystemdSlice, &a.SystemdUnitName,
	} {
		attribute.Enabled = true
	}
}

func (s *cgroupScraper) close() error { return s.groups.Close() }

func (s *cgroupScraper) scrape(t *scrapeContext) error {
	groups, err := s.groups.Read()
	if errors.Is(err, host.ErrUnsupported) {
		return err
	}
	if s.first == 0 {
		s.first = t.time
	}
	s.names.Begin(t.now)
	s.scan++
	s.candidates = s.candidates[:0]
	for _, g := range groups {
		if k := s.know(t, g); k.selected {
			s.candidates = append(s.candidates, k)
		}
	}
	for g, k := range s.known {
		if k.scan != s.scan {
			delete(s.known, g)
		}
	}
	s.choose()
	for _, k := range s.candidates {
		if k.shown {
			s.record(t, k)
		} else {
			k.recorded = false
		}
	}
	now, before := s.groups.Whole()
	s.rest.update(s, now, before)
	if s.cfg.Other {
		s.recordRest(t)
	}
	return errors.Join(err, auxiliary(s.groups.FileErrors()))
}

// know returns what is known of a group, and finds out what is not.
func (s *cgroupScraper) know(t *scrapeContext, g *host.Cgroup) *knownCgroup {
	k := s.known[g]
	if k == nil {
		k = &knownCgroup{Cgroup: g, start: s.startOf(t, g)}
		k.selected = s.selection.matches(k)
		s.known[g] = k
	}
	k.scan = s.scan
	if g.ContainerID != "" && !g.OfUser() && !k.container.Complete {
		k.container = s.names.Container(g.ContainerID)
		k.selected = s.selection.matches(k)
	}
	return k
}

// startOf returns when the group was made: within the last interval, if it is new. What the kernel says of one that was there before may be later
// than the truth, but not earlier.
func (s *cgroupScraper) startOf(t *scrapeContext, g *host.Cgroup) pcommon.Timestamp {
	start := max(pcommon.NewTimestampFromTime(g.Created), t.boot)
	if g.New && t.previous != 0 {
		start = max(start, t.previous)
	}
	return min(start, t.time-1)
}

// record records one group.
func (s *cgroupScraper) record(t *scrapeContext, k *knownCgroup) {
	s.mb.Reset(metadata.WithStartTime(k.start))
	if s.delta && !k.recorded && k.Before != nil && t.previous > k.start {
		// What was used before belongs to the rest: the first delta begins at the last scrape.
		s.recordTotals(t.previous, k.Before)
	}
	s.recordTotals(t.time, k.Now)
	for i := range s.rows {
		if r := &s.rows[i]; !r.total {
			if v := r.value(&k.Now.Values); v >= 0 {
				r.record(s.mb, t.time, v)
			}
		}
	}
	s.recordShares(t, k)
	s.mb.RecordContainerUptimeDataPoint(t.time, max(float64(t.time-k.start)/1e9, 0))
	k.recorded = true
	resource := s.describe(k)
	s.mb.EmitForResource(metadata.WithMovedResource(resource))
	t.emit()
}

// recordTotals records the counters of a group at a time.
func (s *cgroupScraper) recordTotals(ts pcommon.Timestamp, sample *cgroup.Sample) {
	limited := sample.Values[cgroup.Periods] > 0 || sample.Values[cgroup.CPULimit] >= 0
	for i := range s.rows {
		r := &s.rows[i]
		if !r.total || !limited && r.isThrottling() {
			continue
		}
		if v := r.value(&sample.Values); v >= 0 {
			r.record(s.mb, ts, v)
		}
	}
	s.recordIO(ts, sample.Devices)
}

// isThrottling tells whether the row is of what a group without a limit does not have.
func (m *cgroupMetric) isThrottling() bool {
	return m.values[0] == cgroup.Periods || m.values[0] == cgroup.ThrottledPeriods || m.values[0] == cgroup.ThrottledTime
}

func (s *cgroupScraper) recordIO(ts pcommon.Timestamp, devices []cgroup.Device) {
	if !s.io {
		return
	}
	for i := range devices {
		d := &devices[i]
		name := s.groups.Device(d.Major, d.Minor)
		s.mb.RecordContainerDiskIoDataPoint(ts, d.IO.ReadBytes, diskRead, name)
		s.mb.RecordContainerDiskIoDataPoint(ts, d.IO.WrittenBytes, diskWrite, name)
		s.mb.RecordContainerDiskOperationsDataPoint(ts, d.IO.Reads, diskRead, name)
		s.mb.RecordContainerDiskOperationsDataPoint(ts, d.IO.Writes, diskWrite, name)
	}
}

// recordShares records what is computed of a group.
func (s *cgroupScraper) recordShares(t *scrapeContext, k *knownCgroup) {
	now := &k.Now.Values
	if used := cpuSince(k); used >= 0 && t.elapsed > 0 {
		cpus := float64(used) / 1e6 / t.elapsed.Seconds()
		s.mb.RecordContainerCPUUsageDataPoint(t.time, cpus)
		if limit := now[cgroup.CPULimit]; limit > 0 {
			s.mb.RecordContainerCPULimitUtilizationDataPoint(t.time, min(cpus/(float64(limit)/1e6), 1))
		}
	}
	if limit, set := now[cgroup.MemoryLimit], now.WorkingSet(); limit > 0 && set >= 0 {
		s.mb.RecordContainerMemoryLimitUtilizationDataPoint(t.time, min(float64(set)/float64(limit), 1))
	}
}

// cpuSince is the CPU time since the last scrape, Absent if it is not known.
func cpuSince(k *knownCgroup) int64 {
	if k.Before == nil {
		return cgroup.Absent
	}
	now, before := k.Now.Values.CPUTime(), k.Before.Values.CPUTime()
	if now < 0 || before < 0 || now < before {
		return cgroup.Absent
	}
	return now - before
}

// describe builds the resource of a group: its own attributes and the host's.
func (s *cgroupScraper) describe(k *knownCgroup) pcommon.Resource {
	setGroup(s.rb, &k.Name, &k.container)
	s.rb.SetLinuxCgroupPath(k.Path)
	setKnown(k.ContainerID, s.rb.SetContainerID)
	resource := s.rb.Emit()
	copyAttributes(s.resource.Attributes(), resource.Attributes())
	return resource
}

// setGroup sets the attributes that a group and the processes in it have in common.
func setGroup(rb *metadata.ResourceBuilder, n *cgroup.Name, c *containerstate.Container) {
	setKnown(first(c.Name, n.Machine), rb.SetContainerName)
	setKnown(c.Image, rb.SetContainerImageName)
	setKnown(first(c.Runtime, n.Runtime), rb.SetContainerRuntimeName)
	setKnown(first(n.PodUID, c.PodUID), rb.SetK8sPodUID)
	setKnown(c.Pod, rb.SetK8sPodName)
	setKnown(c.Namespace, rb.SetK8sNamespaceName)
	setKnown(c.PodContainer, rb.SetK8sContainerName)
	setKnown(n.Unit, rb.SetSystemdUnitName)
	setKnown(n.Slice, rb.SetSystemdSlice)
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
