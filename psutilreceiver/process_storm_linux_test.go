package psutilreceiver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// partVariable makes this test binary play a part instead of running tests.
const partVariable = "PSUTIL_TEST_PART"

func init() {
	var err error
	switch os.Getenv(partVariable) {
	case "":
		return
	case "storm":
		err = playStorm()
	case "negligent":
		err = playNegligent()
	case "burn":
		burnCPU(20 * time.Millisecond)
	case "hidden":
		err = playHidden()
	case "onlooker":
		err = playOnlooker()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// part makes the test binary, or a copy of it, play a part.
func part(binary, name string, more ...string) *exec.Cmd {
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), partVariable+"="+name, "GORACE=atexit_sleep_ms=0")
	cmd.Env = append(cmd.Env, more...)
	return cmd
}

// burnCPU uses as much CPU time.
func burnCPU(d time.Duration) {
	for end := usedBy(unix.RUSAGE_SELF) + d; usedBy(unix.RUSAGE_SELF) < end; {
	}
}

func usedBy(who int) time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// playStorm forks as many short-lived children as each line asks for, one after the other, and answers with what it and all of its children
// have used by then, in microseconds.
func playStorm() error {
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		for range n {
			if err := exec.Command(os.Getenv("STORM_SHELL"), "-c", "i=0; while [ $i -lt 1000 ]; do i=$((i+1)); done").Run(); err != nil {
				return err
			}
		}
		fmt.Println((usedBy(unix.RUSAGE_SELF) + usedBy(unix.RUSAGE_CHILDREN)).Microseconds())
	}
	return lines.Err()
}

// TestForkStormIsAccountedFor: of 1,000 processes that live for some milliseconds scrapes see but a few alive; their time is in their
// parent's children's time, and with what was seen alive counted once.
func TestForkStormIsAccountedFor(t *testing.T) {
	eachReader(t, func(t *testing.T, reader ProcessReader) {
		t.Helper()
		for _, temporality := range []Temporality{TemporalityDelta, TemporalityCumulative} {
			t.Run(string(temporality), func(t *testing.T) { accountForStorm(t, reader, temporality) })
		}
	})
}

func accountForStorm(t *testing.T, reader ProcessReader, temporality Temporality) {
	t.Helper()
	shell, self, only := programs(t)
	storm := startChild(t, part(self, "storm", "STORM_SHELL="+shell))
	require.Equal(t, "ready", storm.answer())
	used := func(n int, meanwhile func()) float64 {
		storm.tell(strconv.Itoa(n))
		meanwhile()
		us, err := strconv.ParseFloat(storm.answer(), 64)
		require.NoError(t, err)
		return us / 1e6
	}
	begin := used(0, func() {})
	live, first := watchProcesses(t, temporality, func(cfg *Config, p *ProcessConfig) {
		only(cfg, p)
		p.Reader = reader
	})
	accounted, children := 0.0, 0.0
	scrape := func() {
		got := live.scrape()
		if temporality == TemporalityDelta {
			accounted += got.sum(cpuMetrics...) + got.sum(childrenMetrics...)
			children += got.sum(childrenMetrics...)
			return
		}
		pid := strconv.Itoa(storm.cmd.Process.Pid)
		accounted, children = 0, 0
		for _, name := range []string{pid, "other"} {
			for _, metric := range append(cpuMetrics, childrenMetrics...) {
				accounted += got[metric][name] - first[metric][name]
			}
		}
		for _, metric := range childrenMetrics {
			children += got[metric][pid]
		}
	}
	if temporality == TemporalityDelta {
		used(250, scrape) // While it rages.
	}
	used(500, func() {})
	scrape()
	end := used(500, func() {})
	scrape()
	// What is seen alive is known to the tick, each in user and system time.
	tolerance := 0.02*(end-begin) + 4*tickSeconds
	if reader == ProcessReaderBPF { // The kernel tells of an end somewhat later.
		assert.Eventually(t, func() bool {
			scrape()
			return accounted > end-begin-tolerance
		}, time.Minute, 50*time.Millisecond)
	}
	t.Logf("used %.3f s, accounted for %.3f s, of that %.3f s by children no scrape saw", end-begin, accounted, children)
	assert.Greater(t, children, 0.5*(end-begin))
	assert.InDelta(t, end-begin, accounted, tolerance)
}

// playNegligent waits for none of its children.
func playNegligent() error {
	signal.Ignore(syscall.SIGCHLD)
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			return err
		}
		for range n {
			err := part(os.Args[0], "burn").Run()
			if err != nil && !strings.Contains(err.Error(), syscall.ECHILD.Error()) {
				return err
			}
		}
		fmt.Println("done")
	}
	return lines.Err()
}

// TestTimeOfUnwaitedChildrenIsUnattributed: the kernel throws the time of a child away whose parent ignores its death, so that no process
// has it. The host's CPUs have.
func TestTimeOfUnwaitedChildrenIsUnattributed(t *testing.T) {
	parent := startChild(t, part(os.Args[0], "negligent"))
	require.Equal(t, "ready", parent.answer())
	live, _ := watchProcesses(t, TemporalityDelta, func(_ *Config, p *ProcessConfig) { p.Top.N, p.Reader = 10, ProcessReaderProc })
	live.scrape()
	const children = 50
	parent.tell(strconv.Itoa(children))
	require.Equal(t, "done", parent.answer())
	got := live.scrape()
	pid := strconv.Itoa(parent.cmd.Process.Pid)
	assert.Zero(t, got["process.children.cpu.time/user"][pid]+got["process.children.cpu.time/system"][pid])
	lost := children * (20 * time.Millisecond).Seconds()
	t.Logf("lost at least %.2f s, unattributed %.2f s", lost, got.sum("system.process.cpu.unattributed"))
	// The host's time is sampled, the processes' measured.
	assert.GreaterOrEqual(t, got.sum("system.process.cpu.unattributed"), lost/2)
}
