package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// processesScraper counts processes. What each of them does is the job of processScraper.
type processesScraper struct {
	scraperSettings
	reader  read.Source // of its own, where the process scraper does not read the processes at the same time
	letters [128]int32
}

func newProcessesScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &processesScraper{scraperSettings: settings, reader: read.New(settings.host.Root())}, nil
}

func (s *processesScraper) close() error { return s.reader.Close() }

func (s *processesScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeStates(t), s.scrapeKernel(t), s.scrapeTasks(t), s.scrapeLimit(t))
}

// processStates are the states in the order of the counts.
var processStates = [...]metadata.AttributeProcessState{
	metadata.AttributeProcessStateRunning, metadata.AttributeProcessStateSleeping,
	metadata.AttributeProcessStateStopped, metadata.AttributeProcessStateDefunct,
	metadata.AttributeProcessStateBlocked, metadata.AttributeProcessStateIdle,
}

// mergedStates is how many of them there are where all that sleep are one state.
const mergedStates = 4

func (s *processesScraper) scrapeStates(t *scrapeContext) error {
	if !s.metrics.SystemProcessCount.Enabled {
		return nil
	}
	letters, err := s.countStates(t)
	if err != nil || letters == nil {
		return err // Windows and the BSDs do not report the states.
	}
	var counts [len(processStates)]int64
	place, states := stateIndex, processStates[:mergedStates]
	if s.hostmetrics {
		place, states = separateStateIndex, processStates[:]
	}
	for letter, n := range letters {
		counts[place(byte(letter))] += int64(n)
	}
	for i, state := range states {
		s.mb.RecordSystemProcessCountDataPoint(t.time, counts[i], state)
	}
	return nil
}

// countStates counts all processes by the kernel's letter of their state. It returns nil if the system does not have states.
func (s *processesScraper) countStates(t *scrapeContext) (*[128]int32, error) {
	if s.processes.shared() {
		return s.processes.scan(t)
	}
	if counter := s.states.get(); counter != nil {
		return &s.letters, counter.CountStates(&s.letters)
	}
	s.letters = [128]int32{}
	known := false
	err := s.reader.Scan(func(p *read.Sample) {
		s.letters[p.State&127]++
		known = known || p.Have&read.FieldScheduling != 0
	})
	if err != nil || !known {
		return nil, err
	}
	return &s.letters, nil
}

// stateIndex is the place in processStates of a state letter of proc(5): docs/decisions/0007-process-states.md.
func stateIndex(letter byte) int {
	switch letter {
	case 'R':
		return 0
	case 'T', 't':
		return 2
	case 'Z', 'X', 'x':
		return 3
	}
	return 1 // S, D, I, and what kernels add: it does not run.
}

// separateStateIndex is stateIndex with blocked and idle processes apart from those that sleep.
func separateStateIndex(letter byte) int {
	switch letter {
	case 'D':
		return 4
	case 'I':
		return 5
	}
	return stateIndex(letter)
}

func (s *processesScraper) scrapeKernel(t *scrapeContext) error {
	k, err := s.host.Kernel()
	if isLost(err) {
		return err
	}
	recordCounter(k.Forks, func(v int64) { s.mb.RecordSystemProcessCreatedDataPoint(t.time, v) })
	recordKnown(k.TasksRunning, func(v int64) {
		s.mb.RecordSystemLinuxTaskCountDataPoint(t.time, v, metadata.AttributeSystemLinuxTaskStateRunning)
	})
	recordKnown(k.TasksBlocked, func(v int64) {
		s.mb.RecordSystemLinuxTaskCountDataPoint(t.time, v, metadata.AttributeSystemLinuxTaskStateBlocked)
	})
	return err
}

func (s *processesScraper) scrapeTasks(t *scrapeContext) error {
	if !s.metrics.SystemThreadCount.Enabled {
		return nil
	}
	l, err := s.host.Load()
	if isLost(err) {
		return err
	}
	recordKnown(l.Tasks, func(v int64) { s.mb.RecordSystemThreadCountDataPoint(t.time, v) })
	return err
}

func (s *processesScraper) scrapeLimit(t *scrapeContext) error {
	if !s.metrics.SystemProcessLimit.Enabled {
		return nil
	}
	limits, err := s.host.TaskLimits()
	if err != nil {
		return err
	}
	s.mb.RecordSystemProcessLimitDataPoint(t.time, limits.Limit())
	return nil
}
