package host

import (
	"errors"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// throttleFiles are the files of each core and package that has been seen, which are kept open. A core that goes offline keeps what it has counted: when
// it comes back it goes on.
type throttleFiles struct {
	files  sysfsReader
	online int // CPUs when the files were looked for
	known  []throttleFile
	seen   map[throttledPart]struct{}
}

// throttledPart is a core of a package, or with the core -1 the package.
type throttledPart struct{ pkg, core int64 }

type throttleFile struct {
	events, time sysfsFile
	last         Throttle
}

// Read gives each core and each package, from thermal_throttle below /sys/devices/system/cpu. The CPUs of one core, and the cores of one package, all count
// the same, so that the first of them stands for it. ErrUnsupported where the CPUs count no such thing, as in virtual machines and on other processors than
// those of Intel. The slice is valid until the next Read.
func (t *Throttles) Read() ([]Throttle, error) {
	cpus, err := t.host.CPU()
	if err != nil && !IsOdd(err) {
		return nil, err
	}
	if t.online != cpus.Count {
		t.discover(cpus)
	}
	if len(t.known) == 0 {
		return nil, ErrUnsupported
	}
	t.samples = t.samples[:0]
	var failed error
	for i := range t.known {
		f := &t.known[i]
		failed = cmpError(failed, t.read(f))
		t.samples = append(t.samples, f.last)
	}
	return t.samples, failed
}

// Close closes the files that are kept open. Read must not be called afterwards.
func (t *Throttles) Close() error {
	for i := range t.known {
		t.files.close(&t.known[i].events, &t.known[i].time)
	}
	return nil
}

func (t *Throttles) read(f *throttleFile) error {
	events, err := t.number(&f.events)
	f.last.Online = events != absent
	if events == absent {
		return err
	}
	f.last.Events = events
	if t.withTime {
		millis, timeErr := t.number(&f.time)
		f.last.Time = absent
		switch {
		case millis >= 0:
			f.last.Time = float64(millis) / 1000
		case millis == Odd:
			f.last.Time = Odd
		}
		err = cmpError(err, timeErr)
	}
	return err
}

// number reads a count. -1 and no error is for a file that is not there: the CPU is offline, or the kernel too old.
func (t *Throttles) number(f *sysfsFile) (int64, error) {
	text, err := t.files.read(f)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return absent, nil
	}
	if err != nil {
		return absent, &fs.PathError{Op: "read", Path: f.path, Err: err}
	}
	v, ok := proctext.Int(text)
	if !ok {
		return Odd, oddText(strings.TrimPrefix(f.path, "/"), text)
	}
	return v, nil
}

// discover adds the cores and packages that were not seen before.
func (t *Throttles) discover(cpus *CPUSample) {
	t.online = cpus.Count
	if t.seen == nil {
		t.seen, t.files = make(map[throttledPart]struct{}), newSysfsReader(t.host.dir)
	}
	for i := range cpus.PerCPU {
		number := cpus.PerCPU[i].Number
		dir := "sys/devices/system/cpu/cpu" + strconv.Itoa(number)
		counts := dir + "/thermal_throttle/"
		if !t.host.exists(counts) {
			continue
		}
		pkg := t.host.numberAt(dir + "/topology/physical_package_id")
		core := t.host.numberAt(dir + "/topology/core_id")
		t.add(throttledPart{pkg, core}, ThrottleCore, number, counts+"core_throttle_")
		t.add(throttledPart{pkg, absent}, ThrottlePackage, number, counts+"package_throttle_")
	}
}

func (t *Throttles) add(part throttledPart, scope ThrottleScope, cpu int, prefix string) {
	if _, ok := t.seen[part]; ok || !t.host.exists(prefix+"count") {
		return
	}
	t.seen[part] = struct{}{}
	t.known = append(t.known, throttleFile{
		events: sysfsFile{path: t.host.Path(prefix + "count")},
		time:   sysfsFile{path: t.host.Path(prefix + "total_time_ms")},
		last:   Throttle{Scope: scope, CPU: cpu, Time: absent},
	})
}
