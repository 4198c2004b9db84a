package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// scraper reads one subject and records its metrics through the MetricsBuilder of its settings. It returns the errors of what
// could not be read, joined; what it has recorded is emitted in any case.
type scraper interface {
	scrape(t *scrapeContext) error
}

// closer is a scraper that keeps files open.
type closer interface {
	close() error
}

// extender is a scraper with metrics that the MetricsBuilder does not know. They are added before the stage makes streams of them.
type extender interface {
	extend(md pmetric.Metrics)
}

// scraperSettings is what a scraper is built from.
type scraperSettings struct {
	host      *host.Host
	mb        *metadata.MetricsBuilder
	starts    *stream.Starts // of devices that come and go; Begin and End are called around each scrape
	logger    *zap.Logger
	telemetry *metadata.TelemetryBuilder

	// metrics and attributes say what is enabled, so that nothing else is read.
	metrics    metadata.MetricsConfig
	attributes metadata.ResourceAttributesConfig
	resource   pcommon.Resource // of the host
	processes  *processPass     // the pass over the processes that the scrapers of an interval share
	states     *stateCounter    // of the scrapers of all intervals
	shown      *shownProcesses  // where the processes that are shown are handed to; nil if nobody is told of them
	delta      bool             // counters are turned into deltas by the stage

	hostmetrics bool // what hostmetricsreceiver has apart is recorded apart: Config.Compat
}

// scrapeContext is one scrape of a group of scrapers.
type scrapeContext struct {
	now      time.Time         // with a monotonic reading
	time     pcommon.Timestamp // of every point of this scrape
	boot     pcommon.Timestamp // start of every stream that began with the host
	previous pcommon.Timestamp // time of the last scrape in which the scraper read everything, 0 before there was one
	elapsed  time.Duration     // since then by the monotonic clock, 0 before

	// forOthers is the part of the scraper's time in which it did the work of another one, negative of one whose work others did.
	forOthers time.Duration

	emitted  int    // resources since the last part
	passPart func() // called by emit; nil if the scrape is passed on as a whole
}

// emit counts a resource that the scraper emitted, and passes on a part of the scrape when it has enough of them. A scraper that may have very
// many resources calls it after each.
func (t *scrapeContext) emit() {
	if t.emitted++; t.emitted >= maxResourcesInPart && t.passPart != nil {
		t.emitted = 0
		t.passPart()
	}
}

// ScrapersConfig has one optional block for each scraper, which runs if the block is present.
type ScrapersConfig struct {
	// CPU reports time and utilization by mode, counts and frequencies of the CPUs.
	CPU configoptional.Optional[CPUConfig] `mapstructure:"cpu"`
	// Load reports the load averages.
	Load configoptional.Optional[LoadConfig] `mapstructure:"load"`
	// Memory reports the memory by state, and what else the kernel reports of it.
	Memory configoptional.Optional[ScraperConfig] `mapstructure:"memory"`
	// Paging reports swap space, faults and paging.
	Paging configoptional.Optional[ScraperConfig] `mapstructure:"paging"`
	// Disk reports I/O of block devices.
	Disk configoptional.Optional[DiskConfig] `mapstructure:"disk"`
	// Filesystem reports space and inodes of mounted filesystems, and mounts that do not answer.
	Filesystem configoptional.Optional[FilesystemConfig] `mapstructure:"filesystem"`
	// Raid reports the arrays of disks that Linux itself makes (md).
	Raid configoptional.Optional[ScraperConfig] `mapstructure:"raid"`
	// ZFS reports the pools and the cache of ZFS on Linux.
	ZFS configoptional.Optional[ScraperConfig] `mapstructure:"zfs"`
	// Btrfs reports errors, missing devices and allocation of btrfs.
	Btrfs configoptional.Optional[ScraperConfig] `mapstructure:"btrfs"`
	// DiskHealth reports what disks say of their own health.
	DiskHealth configoptional.Optional[DiskHealthConfig] `mapstructure:"disk_health"`
	// MemoryDetails reports fragmentation, NUMA nodes, compressed and merged memory of Linux.
	MemoryDetails configoptional.Optional[ScraperConfig] `mapstructure:"memory_details"`
	// Network reports traffic and links of network interfaces, and the table of tracked connections.
	Network configoptional.Optional[NetworkConfig] `mapstructure:"network"`
	// Netstat reports what TCP, UDP and the queues below them did, and the sockets.
	Netstat configoptional.Optional[NetstatConfig] `mapstructure:"netstat"`
	// Connections reports sockets by state.
	Connections configoptional.Optional[ScraperConfig] `mapstructure:"connections"`
	// NFS reports what the kernel's NFS client and server did.
	NFS configoptional.Optional[ScraperConfig] `mapstructure:"nfs"`
	// Pressure reports pressure stall information of Linux (PSI).
	Pressure configoptional.Optional[ScraperConfig] `mapstructure:"pressure"`
	// Sensors reports temperatures, fans, voltages, currents, power, energy, batteries and power supplies.
	Sensors configoptional.Optional[ScraperConfig] `mapstructure:"sensors"`
	// Hardware reports the errors that memory controllers, and where asked for other hardware, have counted.
	Hardware configoptional.Optional[HardwareConfig] `mapstructure:"hardware"`
	// GPU reports graphics processors, as far as Linux shows them in sysfs.
	GPU configoptional.Optional[ScraperConfig] `mapstructure:"gpu"`
	// Systemd reports the states of systemd's units.
	Systemd configoptional.Optional[SystemdConfig] `mapstructure:"systemd"`
	// Processes reports the numbers of processes by state, of threads, and their limits.
	Processes configoptional.Optional[ScraperConfig] `mapstructure:"processes"`
	// Process reports each process, or each group, on its own.
	Process configoptional.Optional[ProcessConfig] `mapstructure:"process"`
	// IPC reports semaphores, message queues and shared memory of System V.
	IPC configoptional.Optional[ScraperConfig] `mapstructure:"ipc"`
	// Clock reports how well the clock is synchronised.
	Clock configoptional.Optional[ScraperConfig] `mapstructure:"clock"`
	// Textfile passes on metrics that programs leave in files.
	Textfile configoptional.Optional[TextfileConfig] `mapstructure:"textfile"`
	// Cgroup reports control groups: containers, services and what else there is.
	Cgroup configoptional.Optional[CgroupConfig] `mapstructure:"cgroup"`
	// System reports uptime, logins, open files, interrupts, context switches, entropy, inodes and directory entries.
	System configoptional.Optional[ScraperConfig] `mapstructure:"system"`
}

// scraperKinds is the table of all scrapers, in the order in which they run: for each whether it runs when the configuration names none, the block of
// the configuration with its defaults, and how it is made. The process scraper is the last, because it passes on parts, and
// waits for the pipeline meanwhile.
var scraperKinds = []scraperKind{
	kindOf("cpu", on, func(s *ScrapersConfig) *configoptional.Optional[CPUConfig] { return &s.CPU }, blank[CPUConfig], newCPUScraper).sampledBy(&cpuSampling),
	kindOf("load", on, func(s *ScrapersConfig) *configoptional.Optional[LoadConfig] { return &s.Load }, blank[LoadConfig], newLoadScraper).sampledBy(&loadSampling),
	simpleKind("memory", on, func(s *ScrapersConfig) *optionalScraper { return &s.Memory }, newMemoryScraper).sampledBy(&memorySampling),
	simpleKind("paging", on, func(s *ScrapersConfig) *optionalScraper { return &s.Paging }, newPagingScraper),
	kindOf("disk", on, func(s *ScrapersConfig) *configoptional.Optional[DiskConfig] { return &s.Disk }, blank[DiskConfig], newDiskScraper).sampledBy(&diskSampling),
	kindOf("filesystem", on, func(s *ScrapersConfig) *configoptional.Optional[FilesystemConfig] { return &s.Filesystem }, defaultFilesystemConfig, newFilesystemScraper),
	simpleKind("raid", on, func(s *ScrapersConfig) *optionalScraper { return &s.Raid }, newRaidScraper),
	simpleKind("zfs", on, func(s *ScrapersConfig) *optionalScraper { return &s.ZFS }, newZFSScraper),
	simpleKind("btrfs", on, func(s *ScrapersConfig) *optionalScraper { return &s.Btrfs }, newBtrfsScraper),
	kindOf("disk_health", off, func(s *ScrapersConfig) *configoptional.Optional[DiskHealthConfig] { return &s.DiskHealth }, defaultDiskHealthConfig, newDiskHealthScraper),
	simpleKind("memory_details", off, func(s *ScrapersConfig) *optionalScraper { return &s.MemoryDetails }, newMemoryDetailsScraper),
	kindOf("network", on, func(s *ScrapersConfig) *configoptional.Optional[NetworkConfig] { return &s.Network }, blank[NetworkConfig], newNetworkScraper).sampledBy(&networkSampling),
	kindOf("netstat", on, func(s *ScrapersConfig) *configoptional.Optional[NetstatConfig] { return &s.Netstat }, blank[NetstatConfig], newNetstatScraper),
	simpleKind("connections", off, func(s *ScrapersConfig) *optionalScraper { return &s.Connections }, newConnectionsScraper),
	simpleKind("nfs", off, func(s *ScrapersConfig) *optionalScraper { return &s.NFS }, newNFSScraper),
	simpleKind("pressure", on, func(s *ScrapersConfig) *optionalScraper { return &s.Pressure }, newPressureScraper).sampledBy(&pressureSampling),
	simpleKind("sensors", off, func(s *ScrapersConfig) *optionalScraper { return &s.Sensors }, newSensorsScraper),
	kindOf("hardware", on, func(s *ScrapersConfig) *configoptional.Optional[HardwareConfig] { return &s.Hardware }, blank[HardwareConfig], newHardwareScraper),
	simpleKind("gpu", off, func(s *ScrapersConfig) *optionalScraper { return &s.GPU }, newGPUScraper),
	kindOf("systemd", off, func(s *ScrapersConfig) *configoptional.Optional[SystemdConfig] { return &s.Systemd }, defaultSystemdConfig, newSystemdScraper),
	simpleKind("processes", on, func(s *ScrapersConfig) *optionalScraper { return &s.Processes }, newProcessesScraper),
	simpleKind("ipc", off, func(s *ScrapersConfig) *optionalScraper { return &s.IPC }, newIPCScraper),
	simpleKind("clock", on, func(s *ScrapersConfig) *optionalScraper { return &s.Clock }, newClockScraper),
	simpleKind("system", on, func(s *ScrapersConfig) *optionalScraper { return &s.System }, newSystemScraper),
	kindOf("textfile", off, func(s *ScrapersConfig) *configoptional.Optional[TextfileConfig] { return &s.Textfile }, defaultTextfileConfig, newTextfileScraper),
	kindOf("cgroup", off, func(s *ScrapersConfig) *configoptional.Optional[CgroupConfig] { return &s.Cgroup }, defaultCgroupConfig, newCgroupScraper).mayReturn(),
	kindOf("process", on, func(s *ScrapersConfig) *configoptional.Optional[ProcessConfig] { return &s.Process }, defaultProcessConfig, newProcessScraper).mayReturn(),
}

// Whether a scraper runs when the configuration names none.
const (
	on  = true
	off = false
)

type optionalScraper = configoptional.Optional[ScraperConfig]

// scraperKind is one row of the table of scrapers.
type scraperKind struct {
	name      string
	byDefault bool // runs when the configuration names no scraper
	returning bool // a complete scrape may leave out streams that return later under their old start
	// offer gives the block of the scraper its default values, without making it present.
	offer func(*ScrapersConfig)
	// enable makes the block of the scraper present, with its default values.
	enable func(*ScrapersConfig)
	// interval gives the scraper's own interval, zero for the receiver's, and whether the scraper is to run.
	interval func(*ScrapersConfig) (time.Duration, bool)
	create   func(*ScrapersConfig, scraperSettings) (scraper, error)
	// sampling is how metrics of the scraper are read between the exports; nil where none can be.
	sampling *samplingKind
}

// mayReturn marks a scraper whose complete scrapes may leave out streams that return later under their old start: see stream.Settings.
func (k scraperKind) mayReturn() scraperKind {
	k.returning = true
	return k
}

// sampledBy says how the metrics of the scraper are sampled.
func (k scraperKind) sampledBy(sampling *samplingKind) scraperKind {
	k.sampling = sampling
	return k
}

// blank is the default of a block all of whose keys start from nothing.
func blank[T any]() (t T) { return t }

// simpleKind is the row of a scraper without keys of its own.
func simpleKind(
	name string, byDefault bool, block func(*ScrapersConfig) *optionalScraper, create func(ScraperConfig, scraperSettings) (scraper, error),
) scraperKind {
	return kindOf(name, byDefault, block, blank[ScraperConfig], create)
}

// kindOf is the row of a scraper with keys of its own: T is the type of its block, and defaults gives the values that the block starts from.
func kindOf[T interface{ interval() time.Duration }](
	name string, byDefault bool,
	block func(*ScrapersConfig) *configoptional.Optional[T],
	defaults func() T,
	create func(T, scraperSettings) (scraper, error),
) scraperKind {
	return scraperKind{
		name:      name,
		byDefault: byDefault,
		offer:     func(s *ScrapersConfig) { *block(s) = configoptional.Default(defaults()) },
		enable:    func(s *ScrapersConfig) { block(s).GetOrInsertDefault() },
		interval: func(s *ScrapersConfig) (time.Duration, bool) {
			if cfg := block(s).Get(); cfg != nil {
				return (*cfg).interval(), true
			}
			return 0, false
		},
		create: func(s *ScrapersConfig, settings scraperSettings) (scraper, error) {
			return create(*block(s).Get(), settings)
		},
	}
}

// recordCounter records the value of a counter unless the host does not report it. One that could not be read is recorded as it is, which is no
// total: the stage drops the point, and keeps the stream for when it can be read again.
func recordCounter(v int64, record func(int64)) {
	if v >= 0 || v == host.Odd {
		record(v)
	}
}

// oneIf is the value of a metric that is 1 or 0.
func oneIf(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// recordKnown records a value unless it is negative: then the host does not report it.
func recordKnown(v int64, record func(int64)) {
	if v >= 0 {
		record(v)
	}
}
