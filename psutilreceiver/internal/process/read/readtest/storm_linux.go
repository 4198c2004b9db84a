package readtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

const (
	stormRole      = "storm"
	stormChildren  = "PROCESS_TEST_STORM_CHILDREN"
	stormName      = "PROCESS_TEST_STORM_NAME"
	stormThreads   = "PROCESS_TEST_STORM_THREADS"
	stormFolder    = "PROCESS_TEST_FOLDER"
	stormAtOnce    = 8
	stormOfANest   = 10
	stormTransfers = 3
	stormTransfer  = 1000
	stormDisk      = 8192
)

// stormVariable names the environment variable with how many processes a storm has.
const stormVariable = "STORM_PROCESSES"

// StormWanted is what the environment says, or else the given count.
func StormWanted(otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(stormVariable)); err == nil {
		return n
	}
	return otherwise
}

// A Storm is what several parents said of the children that they waited for, by name.
type Storm map[string]Used

// Processes is how many children there were.
func (s Storm) Processes() (n uint64) {
	for _, u := range s {
		n += u.Processes
	}
	return n
}

// StormPrefix begins the names of a storm of this process.
func StormPrefix() string { return strconv.FormatInt(int64(os.Getpid())%(36*36*36*36), 36) }

// RunStorm has so many parents, at the same time, start children that live shortly, altogether about count, and gives what these used. Their names begin with
// prefix, which has up to 4 bytes: [StormPrefix] gives one that no other test has at the time. Of each 50 children one executes a program that has threads.
func RunStorm(tb testing.TB, prefix string, parents, count int) Storm {
	tb.Helper()
	folder := tb.TempDir()
	all := make(Storm)
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	for p := range parents {
		cmd := exec.Command(os.Args[0])
		proctest.SetRole(cmd, stormRole)
		cmd.Env = append(cmd.Env, stormChildren+"="+strconv.Itoa(count/parents), stormName+"="+prefix+strconv.Itoa(p), stormFolder+"="+folder, "GOMAXPROCS=1")
		cmd.Stderr = os.Stderr
		wg.Go(func() {
			out, err := cmd.Output()
			mu.Lock()
			defer mu.Unlock()
			var told Storm
			if failed = errors.Join(failed, err); err == nil {
				failed = errors.Join(failed, json.Unmarshal(out, &told))
			}
			maps.Copy(all, told)
		})
	}
	wg.Wait()
	require.NoError(tb, failed)
	return all
}

// playStorm is a parent of the storm, or a child of one that executes the test binary.
func playStorm() error {
	if os.Getenv(stormThreads) != "" {
		return playThreaded()
	}
	count, err := strconv.Atoi(os.Getenv(stormChildren))
	if err != nil {
		return err
	}
	w, err := newLeafWork(os.Getenv(stormFolder))
	if err != nil {
		return err
	}
	name := os.Getenv(stormName)
	told := make(Storm)
	for batch, b := range []struct {
		share                     int // of 100 children
		spin, calls, pages, files uintptr
	}{
		{share: 30, spin: 1000},
		{share: 20, spin: 200_000, pages: 3},
		{share: 15, calls: 500},
		{share: 10, pages: 100},
		{share: 5, spin: 1_000_000, calls: 100, files: stormDisk},
	} {
		w.spin, w.calls, w.pages, w.disk = b.spin, b.calls, b.pages, b.files
		// 15 bytes are the longest that the kernel keeps.
		leaves := fmt.Sprintf("%s-%d", name, batch)
		w.name = [16]byte{}
		if batch%2 == 1 {
			leaves = fmt.Sprintf("%-15.15s", leaves+" (a long) name")
		}
		copy(w.name[:15], leaves)
		if told[leaves], err = runBatch(count*b.share/100, w); err != nil {
			return err
		}
	}
	if err := runNests(told, w, name, count*18/100/(stormOfANest+1)); err != nil {
		return err
	}
	if err := runThreaded(told, name+"-threads", count*2/100); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(told)
}

func newLeafWork(folder string) (*leafWork, error) {
	page := os.Getpagesize()
	shared, err := unix.Mmap(-1, 0, page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	private, err := unix.Mmap(-1, 0, 128*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return nil, err
	}
	w := (*leafWork)(unsafe.Pointer(&shared[0]))
	w.memory, w.buffer = unsafe.Pointer(&private[0]), uintptr(unsafe.Pointer(&private[120*page]))
	w.pageSize, w.transfers, w.size = uintptr(page), stormTransfers, stormTransfer
	for _, c := range []struct {
		fd    *uintptr
		path  string
		flags int
	}{
		{&w.null, os.DevNull, unix.O_WRONLY},
		{&w.zero, "/dev/zero", unix.O_RDONLY},
		{&w.file, filepath.Join(folder, os.Getenv(stormName)), unix.O_WRONLY | unix.O_CREAT},
	} {
		fd, err := unix.Open(c.path, c.flags|unix.O_CLOEXEC, 0o600)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.path, err)
		}
		*c.fd = uintptr(fd)
	}
	return w, nil
}

// runBatch starts leaves, a few at once, waits for all, and gives what they used.
func runBatch(count int, w *leafWork) (Used, error) {
	before, err := childrenUsage()
	if err != nil {
		return Used{}, err
	}
	for running, left := 0, count; left > 0 || running > 0; {
		if left > 0 && running < stormAtOnce {
			if _, errno := forkLeaf(w); errno != 0 {
				return Used{}, fmt.Errorf("clone: %w", errno)
			}
			left--
			running++
			continue
		}
		if err := waitForOne(); err != nil {
			return Used{}, err
		}
		running--
	}
	after, err := childrenUsage()
	used := after.minus(before)
	used.addLeaves(uint64(count), w)
	return used, err
}

func waitForOne() error {
	var status unix.WaitStatus
	if _, err := unix.Wait4(-1, &status, 0, nil); err != nil {
		return err
	}
	if status != 0 {
		return fmt.Errorf("a child ended with status %d", status)
	}
	return nil
}

// runNests starts children that start children themselves, one after the other. Their own account is what is left of that of all.
func runNests(told Storm, w *leafWork, name string, count int) error {
	leaves, nests := name+"-leaves", name+"-nests"
	w.spin, w.calls, w.pages, w.disk, w.nested = 50_000, 50, 10, 0, stormOfANest
	w.name, w.nestName = [16]byte{}, [16]byte{}
	copy(w.name[:15], leaves)
	copy(w.nestName[:15], nests)
	before, err := childrenUsage()
	if err != nil {
		return err
	}
	var ofLeaves Used
	for range count {
		if _, errno := forkNest(w); errno != 0 {
			return fmt.Errorf("clone: %w", errno)
		}
		if err := waitForOne(); err != nil {
			return err
		}
		ofLeaves = ofLeaves.plus(usedOf(&w.children))
	}
	after, err := childrenUsage()
	ofNests := after.minus(before).minus(ofLeaves)
	ofLeaves.addLeaves(uint64(count*stormOfANest), w)
	ofNests.addLeaves(uint64(count), w)
	told[leaves], told[nests] = ofLeaves, ofNests
	return err
}

// runThreaded starts processes that execute a program and have threads that end. Their logical I/O is not known.
func runThreaded(told Storm, name string, count int) error {
	// Go starts a child of its own before the first one (os.checkPidfd): that is not to count.
	if err := exec.Command("true").Run(); err != nil {
		return err
	}
	before, err := childrenUsage()
	if err != nil {
		return err
	}
	for range count {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), stormThreads+"="+name, "GOMAXPROCS=2")
		if err := cmd.Run(); err != nil {
			return err
		}
	}
	after, err := childrenUsage()
	used := after.minus(before)
	used.Processes = uint64(count)
	told[name] = used
	return err
}

func playThreaded() error {
	if err := os.WriteFile("/proc/self/comm", []byte(os.Getenv(stormThreads)), 0); err != nil {
		return err
	}
	return startThreads()
}

func childrenUsage() (Used, error) {
	var u unix.Rusage
	err := unix.Getrusage(unix.RUSAGE_CHILDREN, &u)
	return usedOf(&u), err
}

// blockSize is the unit of getrusage.
const blockSize = 512

func usedOf(u *unix.Rusage) Used {
	return Used{
		User: uint64(u.Utime.Nano() / 1000), System: uint64(u.Stime.Nano() / 1000), MinorFaults: uint64(u.Minflt), MajorFaults: uint64(u.Majflt),
		DiskReads: uint64(u.Inblock) * blockSize, DiskWrites: uint64(u.Oublock) * blockSize, Voluntary: uint64(u.Nvcsw), Involuntary: uint64(u.Nivcsw),
	}
}

// addLeaves adds what is known beforehand of so many leaves.
func (u *Used) addLeaves(count uint64, w *leafWork) {
	u.Processes += count
	u.LogicalReads += count * uint64(w.transfers*w.size)
	u.LogicalWrites += count * uint64(w.transfers*w.size+w.disk)
}
