package psutilreceiver

import (
	"errors"
	"fmt"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// ProcessConfig configures the process scraper.
type ProcessConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude select processes before anything expensive is read of them. A process is included if every list of Include that
	// is not empty has a match for it, and no list of Exclude has one.
	Include ProcessMatch `mapstructure:"include"`
	Exclude ProcessMatch `mapstructure:"exclude"`
	// MinAge leaves out processes that are younger.
	MinAge time.Duration `mapstructure:"min_age"`

	// Top shows the first N processes, or groups, by each key.
	Top ProcessTop `mapstructure:"top"`
	// Other adds what Top leaves out as one resource with process.group.name `other`.
	Other bool `mapstructure:"other"`
	// GroupBy shows groups in place of processes: executable, program, owner, cgroup, systemd_unit.
	GroupBy []string `mapstructure:"group_by"`

	// CPUWindow adds process.cpu.utilization.window, the utilization over the last so many scrapes; 0 does not.
	CPUWindow int `mapstructure:"cpu_window"`

	// CommandLine adds process.command_line, values of secrets masked.
	CommandLine bool `mapstructure:"command_line"`
	// CommandLineArgs keeps the first so many arguments of command lines, the program's name among them; 0 keeps all.
	CommandLineArgs int `mapstructure:"command_line_args"`
	// MemoryMapsPerScrape bounds for how many shown processes process.memory.pss and uss are read in one scrape, in turn: the kernel
	// locks a process's memory map while it is read.
	MemoryMapsPerScrape int `mapstructure:"memory_maps_per_scrape"`

	// Reader says how processes are read: auto, proc or bpf.
	Reader ProcessReader `mapstructure:"reader"`
}

// ProcessReader is how processes are read.
type ProcessReader string

// The readers of processes.
const (
	ProcessReaderAuto ProcessReader = "auto" // bpf where the host allows it, else proc; the default
	ProcessReaderProc ProcessReader = "proc" // the files of /proc; on other systems than Linux what they have in their place
	ProcessReaderBPF  ProcessReader = "bpf"  // programs that the kernel runs; where they can't be used the receiver does not start
)

// ProcessMatch lists values of attributes of processes; within one list any value will do.
type ProcessMatch struct {
	Names        []string  `mapstructure:"names"`
	Executables  []string  `mapstructure:"executables"`
	CommandLines []string  `mapstructure:"command_lines"`
	Owners       []string  `mapstructure:"owners"`
	Cgroups      []string  `mapstructure:"cgroups"`
	PIDs         []int32   `mapstructure:"pids"`
	MatchType    MatchType `mapstructure:"match_type"`
}

// Validate checks the match type and the process IDs.
func (m *ProcessMatch) Validate() error {
	for _, pid := range m.PIDs {
		if pid < 1 {
			return errors.Join(fmt.Errorf("pids: %d is no process ID: they begin at 1", pid), checkMatch(nil, m.MatchType))
		}
	}
	return checkMatch(nil, m.MatchType)
}

// ProcessTop says which processes are shown.
type ProcessTop struct {
	// N by each key; 0 shows all.
	N int `mapstructure:"n"`
	// By has the keys: cpu, memory, disk_io.
	By []string `mapstructure:"by"`
	// Hysteresis: a process that is shown stays shown while its rank is within N times this.
	Hysteresis float64 `mapstructure:"hysteresis"`
}

func defaultProcessConfig() ProcessConfig {
	return ProcessConfig{
		ScraperConfig:       ScraperConfig{CollectionInterval: time.Minute},
		Top:                 ProcessTop{N: 25, By: []string{"cpu", "memory", "disk_io"}, Hysteresis: 1.5},
		Other:               true,
		MemoryMapsPerScrape: 10,
		Reader:              ProcessReaderAuto,
	}
}

// Validate checks the filters, the ranking and the grouping.
func (c *ProcessConfig) Validate() error {
	var errs []error
	if c.MemoryMapsPerScrape < 1 {
		errs = append(errs, fmt.Errorf("memory_maps_per_scrape is %d: must be at least 1", c.MemoryMapsPerScrape))
	}
	if c.CommandLineArgs < 0 {
		errs = append(errs, fmt.Errorf("command_line_args is %d: must be 1 or more, or 0 to keep all", c.CommandLineArgs))
	}
	if c.MinAge > 0 && c.MinAge < minCollectionInterval {
		errs = append(errs, fmt.Errorf("min_age is %v: it must be 0 or at least %v; a duration has a unit, as in 60s", c.MinAge, minCollectionInterval))
	}
	switch c.Reader {
	case ProcessReaderAuto, ProcessReaderProc, ProcessReaderBPF:
	default:
		errs = append(errs, fmt.Errorf("reader is %q: allowed are %s, %s, %s", c.Reader, ProcessReaderAuto, ProcessReaderProc, ProcessReaderBPF))
	}
	tracker, err := process.NewTracker(read.New(""), c.options(metadata.MetricsConfig{}, metadata.ResourceAttributesConfig{}))
	if err == nil {
		err = tracker.Close()
	}
	return errors.Join(append(errs, err)...)
}

// options are what the tracker reads and shows for the metrics and attributes that are enabled.
func (c *ProcessConfig) options(m metadata.MetricsConfig, r metadata.ResourceAttributesConfig) process.Options {
	fields := fieldsOf(&m)
	o := process.Options{
		Fields:     fields &^ read.RollupFields,
		Details:    fields & read.RollupFields,
		MaxDetails: c.MemoryMapsPerScrape,
		Attributes: c.attributesOf(&r),
		Filter:     process.Filter{Include: c.Include.match(), Exclude: c.Exclude.match(), MinAge: c.MinAge},
		Top:        process.Top{N: c.Top.N, Hysteresis: c.Top.Hysteresis},
		Window:     c.CPUWindow,
	}
	for _, key := range c.Top.By {
		o.Top.By = append(o.Top.By, process.RankKey(key))
	}
	for _, key := range c.GroupBy {
		o.GroupBy = append(o.GroupBy, process.GroupKey(key))
	}
	return o
}

func (m *ProcessMatch) match() process.Match {
	return process.Match{
		PIDs: m.PIDs, Names: m.Names, Executables: m.Executables, Owners: m.Owners, Cgroups: m.Cgroups,
		CommandLines: m.CommandLines, Regexp: m.MatchType == MatchRegexp,
	}
}

// attributesOf returns the attributes that the enabled resource attributes need.
func (c *ProcessConfig) attributesOf(r *metadata.ResourceAttributesConfig) read.Attributes {
	var attributes read.Attributes
	for _, need := range []struct {
		enabled   bool
		attribute read.Attributes
	}{
		{r.ProcessExecutableName.Enabled || r.ProcessExecutablePath.Enabled, read.AttributeExecutable},
		{r.ProcessCommand.Enabled, read.AttributeCommand},
		{r.ProcessCommandLine.Enabled || c.CommandLine, read.AttributeCommandLine},
		{r.ProcessOwner.Enabled, read.AttributeOwner},
		{r.ProcessProgramName.Enabled, read.AttributeProgram},
		{r.ProcessLinuxCgroup.Enabled || r.ContainerID.Enabled || namesCgroup(r), read.AttributeCgroup},
	} {
		if need.enabled {
			attributes |= need.attribute
		}
	}
	return attributes
}
