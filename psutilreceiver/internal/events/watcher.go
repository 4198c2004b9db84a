package events

import (
	"errors"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// Options says what is watched.
type Options struct {
	Root  string // the host's root directory, "" for this host's own
	Kinds []Kind
	// Notice is told once, at the first look, where events are found in a way that knows less of them, for lack of a privilege. It may be nil.
	Notice func(what string, err error)
	// IsNewBoot tells whether the boot that the host is in is another than the last one that was told of, and whether that is known. Where it is not, a
	// boot is told of that is not longer ago than ten minutes, once in this process. It may be nil.
	IsNewBoot func(Boot) (isNew, known bool)
}

// Watcher looks at a host for events. It is not safe for concurrent use.
type Watcher struct {
	log     *Log
	host    *host.Host
	wanted  [numKinds]bool
	sources []source
}

// source looks at one thing. Its first look finds what was there before.
type source interface {
	look(now time.Time, emit func(Event)) error
	close() error
}

// NewWatcher returns a watcher that tells the log what it finds. It looks at nothing yet.
func NewWatcher(o Options, log *Log) (*Watcher, error) {
	h, err := host.New(o.Root)
	if err != nil {
		return nil, err
	}
	w := &Watcher{log: log, host: h}
	for _, k := range o.Kinds {
		w.wanted[k] = true
	}
	notice := o.Notice
	if notice == nil {
		notice = func(string, error) {}
	}
	for _, s := range []struct {
		kinds  []Kind
		create func() source
	}{
		{[]Kind{Booted}, func() source { return &bootSource{host: h, isNew: o.IsNewBoot} }},
		{[]Kind{ClockStepped}, func() source { return &clockSource{offset: host.ClockOffset} }},
		{[]Kind{OOMKill}, func() source { return newOOMSource(h, notice) }},
		{[]Kind{ProcessStart, ProcessExit}, func() source { return newProcessSource(h, notice) }},
		{[]Kind{UnitFailed}, func() source { return newUnitSource(o.Root) }},
		{[]Kind{DiskAdded, DiskRemoved}, func() source { return newDiskSource(h) }},
		{[]Kind{InterfaceAdded, InterfaceRemoved}, func() source { return newInterfaceSource(h) }},
		{[]Kind{ContainerStarted, ContainerEnded}, func() source { return newContainerSource(h) }},
		{[]Kind{Mounted, Unmounted, ReadOnly}, func() source { return newMountSource(h) }},
	} {
		if w.wants(s.kinds) {
			w.sources = append(w.sources, s.create())
		}
	}
	return w, nil
}

func (w *Watcher) wants(kinds []Kind) bool {
	for _, k := range kinds {
		if w.wanted[k] {
			return true
		}
	}
	return false
}

// Look finds what happened since the last look. Its error is that of what could not be looked at, which the next look tries again.
func (w *Watcher) Look(now time.Time) error {
	w.host.Begin()
	emit := func(e Event) {
		if w.wanted[e.Kind] {
			w.log.Add(now, e)
		}
	}
	var errs []error
	for _, s := range w.sources {
		if err := s.look(now, emit); err != nil && !errors.Is(err, host.ErrUnsupported) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Close closes what the watcher keeps open.
func (w *Watcher) Close() error {
	var errs []error
	for _, s := range w.sources {
		errs = append(errs, s.close())
	}
	return errors.Join(append(errs, w.host.Close())...)
}
