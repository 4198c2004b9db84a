//go:build amd64 || arm64

package bpf

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

// programs is what is in the kernel. Each part ends with the last descriptor that leads to it, so that nothing stays behind however this
// process ends.
type programs struct {
	collection *ebpf.Collection
	iterator   *link.Iter
	links      []link.Link
	ring       *ringbuf.Reader
	lost       *ebpf.Variable
	counted    *ebpf.Variable // whether descriptors are
	uncounted  bool           // they are not
	told       uint64         // of lost, what was told
	loaded     uint64         // ns since boot: what ended before was not counted
	flushed    chan struct{}  // one for each [ringbuf.Reader.Flush]; closed at the end
}

const (
	// maxCPUs is MAX_CPUS of processes.bpf.c.
	maxCPUs = 32
	// chunk is what the kernel gives of an iterator at once.
	chunk = 32 << 10
)

// linuxWithLoop is the version since which programs may have loops of many rounds: 5.17.
const linuxWithLoop = 5<<16 | 17<<8

// linuxWithoutMemlock is the version since which RLIMIT_MEMLOCK does not limit programs: 5.11.
const linuxWithoutMemlock = 5<<16 | 11<<8

func load() (*programs, error) {
	p := &programs{flushed: make(chan struct{})}
	if err := p.load(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *programs) load() error {
	spec, err := loadPrograms()
	if err != nil {
		return err
	}
	version, err := features.LinuxVersionCode()
	if err != nil {
		return fmt.Errorf("finding the version of the kernel: %w", err)
	}
	dump := chooseIterator(spec, version)
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("counting CPUs: %w", err)
	}
	if cpus <= maxCPUs {
		if err := spec.Variables[programsVarCpus].Set(uint32(cpus)); err != nil {
			return fmt.Errorf("loading programs: %w", err)
		}
	}
	limited := version < linuxWithoutMemlock
	if limited {
		liftMemlock()
	}
	if p.collection, err = ebpf.NewCollection(spec); err != nil {
		return fmt.Errorf("loading programs into the kernel: %w", refusal(err, limited))
	}
	p.lost, p.counted = p.collection.Variables[programsVarLost], p.collection.Variables[programsVarDescriptors]
	return p.attach(dump)
}

// refusal says what may be the cause where bpf(2) is not permitted to a process that has the capabilities. The library takes it to be RLIMIT_MEMLOCK,
// which limited tells whether there is.
func refusal(err error, limited bool) error {
	if !errors.Is(err, unix.EPERM) {
		return err
	}
	cause := "a seccomp filter or a security module may forbid bpf(2)"
	if limited {
		cause += ", or RLIMIT_MEMLOCK be too low"
	}
	return fmt.Errorf("%s: %s", strings.ReplaceAll(err.Error(), " (MEMLOCK may be too low, consider rlimit.RemoveMemlock)", ""), cause)
}

// liftMemlock lifts the limit of locked memory as far as this process may. Package rlimit of the library would do so, but calls bpf(2) as soon as it is linked:
// in each process, also in one that reads /proc and that a filter would kill for the call.
func liftMemlock() {
	if unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}) == nil {
		return
	}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit) == nil {
		limit.Cur = limit.Max
		_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) // Where it is too low, loading says so.
	}
}

// chooseIterator leaves of both forms of the iterator the one that the kernel can run, and returns its name.
func chooseIterator(spec *ebpf.CollectionSpec, version uint32) string {
	if version >= linuxWithLoop {
		delete(spec.Programs, programsProgDumpProcessesWithoutLoop)
		return programsProgDumpProcesses
	}
	delete(spec.Programs, programsProgDumpProcesses)
	return programsProgDumpProcessesWithoutLoop
}

func (p *programs) attach(dump string) error {
	for _, name := range [...]string{programsProgThreadEnds, programsProgProcessExecs, programsProgProcessReleased} {
		l, err := link.AttachTracing(link.TracingOptions{Program: p.collection.Programs[name]})
		if err != nil {
			return fmt.Errorf("attaching the program %s: %w", name, err)
		}
		p.links = append(p.links, l)
	}
	var err error
	if p.loaded, err = sinceBoot(); err != nil {
		return err
	}
	if p.iterator, err = link.AttachIter(link.IterOptions{Program: p.collection.Programs[dump]}); err != nil {
		return fmt.Errorf("attaching the program %s: %w", dump, err)
	}
	if p.ring, err = ringbuf.NewReader(p.collection.Maps[programsMapEnds]); err != nil {
		return fmt.Errorf("mapping the ring of ended processes: %w", err)
	}
	return nil
}

// sinceBoot returns the time that the start of processes is on.
func sinceBoot() (uint64, error) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return 0, fmt.Errorf("reading the time since boot: %w", err)
	}
	return uint64(now.Nano()), nil
}

// countDescriptors says whether those of each process are to be counted, as at first.
func (p *programs) countDescriptors(wanted bool) error {
	if wanted == !p.uncounted {
		return nil
	}
	var value uint32
	if wanted {
		value = 1
	}
	if err := p.counted.Set(value); err != nil {
		return fmt.Errorf("asking for descriptors: %w", err)
	}
	p.uncounted = !wanted
	return nil
}

// dump appends a record for each process.
func (p *programs) dump(to []byte) ([]byte, error) {
	records, err := p.iterator.Open()
	if err != nil {
		return to, fmt.Errorf("iterating over the processes: %w", err)
	}
	defer func() { _ = records.Close() }()
	for {
		if cap(to)-len(to) < chunk {
			to = append(make([]byte, 0, 2*cap(to)+chunk), to...)
		}
		n, err := records.Read(to[len(to):cap(to)])
		to = to[:len(to)+n]
		if errors.Is(err, io.EOF) {
			return slackless(to), nil
		}
		if err != nil {
			return to, fmt.Errorf("iterating over the processes: %w", err)
		}
	}
}

// slackless moves what has far more room than it needs, as after a time of many processes.
func slackless(b []byte) []byte {
	if cap(b) > 1<<20 && cap(b) > 4*len(b) {
		return append(make([]byte, 0, 2*len(b)+chunk), b...)
	}
	return b
}

// close removes the programs from the kernel.
func (p *programs) close() error {
	var errs []error
	if p.ring != nil {
		errs = append(errs, p.ring.Close())
	}
	if p.iterator != nil {
		errs = append(errs, p.iterator.Close())
	}
	for _, l := range p.links {
		errs = append(errs, l.Close())
	}
	if p.collection != nil {
		p.collection.Close()
	}
	return errors.Join(errs...)
}
