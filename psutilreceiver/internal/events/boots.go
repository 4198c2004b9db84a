package events

import (
	"fmt"
	"sync"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

const (
	// sameBoot is how far two readings of the time of one boot may be apart.
	sameBoot = time.Second
	// justBooted is how long after a boot it is told of, where it is not known whether it was before.
	justBooted = 10 * time.Minute
)

// Boot is a boot of the host.
type Boot struct {
	ID string // tells it from other boots; its time where the host has no ID of it
	At time.Time
}

var announced struct {
	sync.Mutex
	boot time.Time
}

// announce reports whether a boot is another than the last one that was announced in this process: a reload of the configuration is no boot.
func announce(at time.Time) bool {
	announced.Lock()
	defer announced.Unlock()
	if at.Sub(announced.boot).Abs() < sameBoot {
		return false
	}
	announced.boot = at
	return true
}

// bootSource tells at its first look that the host has booted.
type bootSource struct {
	host *host.Host
	// isNew tells whether a boot is another than the last one that was told of, and whether that is known at all. It may be nil.
	isNew func(Boot) (isNew, known bool)
	done  bool
}

func (s *bootSource) look(now time.Time, emit func(Event)) error {
	if s.done {
		return nil
	}
	at, err := s.host.BootTime(now)
	if err != nil {
		return err
	}
	s.done = true
	if !s.isToBeTold(at, now) {
		return nil
	}
	emit(Event{
		Kind: Booted, Time: at, Text: "The host has booted",
		Fields: []Field{{"system.boot.time", at.UTC().Format(timeLayout)}},
	})
	return nil
}

func (s *bootSource) isToBeTold(at, now time.Time) bool {
	up := s.host.Present(at, now).Sub(at)
	recent := up >= 0 && up < justBooted
	if s.isNew != nil {
		boot := Boot{ID: s.host.BootID(), At: at}
		if boot.ID == "" {
			boot.ID = fmt.Sprint(at.Unix())
		}
		if isNew, known := s.isNew(boot); known {
			return isNew
		}
	}
	return recent && announce(at)
}

func (s *bootSource) close() error { return nil }
