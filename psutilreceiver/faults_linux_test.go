package psutilreceiver

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kernelFile is a file below a root, and what it means that it can't be read.
type kernelFile struct {
	name string
	// costs are the metrics that come from the file, or with a dot at the end families of them. All others are to stay as they are.
	costs []string
	// parts are those of costs that are made of more than what a fault hides, so that they may change instead of going.
	parts []string
	// warn are the scrapers that read the file.
	warn []string
	// quiet are the faults that may go without a warning: those that look like a host that has less, and those of a single process.
	quiet []string
	// said is what else is said when the file is missing.
	said string
}

// fileFaults are what can happen to a file, each with the class that it is to be counted under.
var fileFaults = map[string]string{
	"missing": "missing", "empty": "malformed", "cut": "malformed", "garbage": "malformed", "a directory": "other",
}

// allFaults are quiet for the files of one process, which are counted and never warned of.
var allFaults = slices.Sorted(maps.Keys(fileFaults))

var kernelFiles = []kernelFile{
	{
		name: "proc/stat", warn: []string{"cpu", "processes", "system"}, quiet: []string{"cut"},
		costs: []string{
			"system.cpu.time", "system.cpu.utilization", "system.cpu.logical.count", "system.cpu.physical.count", "system.cpu.frequency",
			"system.cpu.frequency.", "system.cpu.context_switches", "system.cpu.interrupts", "system.cpu.soft_interrupts", "system.cpu.linux.soft_interrupts",
			"system.process.created", "system.linux.task.count", "system.process.cpu.unattributed", "process.cpu.utilization",
			"system.cpu.linux.thermal_throttle.",
		},
	},
	{
		// The numbers in it have no meaning here: CPUs with the same text are of one core.
		name: "sys/devices/system/cpu/cpu0/topology/thread_siblings_list", warn: []string{"cpu"}, quiet: []string{"missing", "empty", "cut", "garbage"},
		costs: []string{"system.cpu.physical.count"}, parts: []string{"system.cpu.physical.count"},
	},
	{
		name: "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", warn: []string{"cpu"}, quiet: []string{"missing", "empty", "cut", "garbage"},
		costs: []string{"system.cpu.frequency"}, parts: []string{"system.cpu.frequency"},
	},
	{
		name: "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", warn: []string{"cpu"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.cpu.linux.thermal_throttle."}, parts: []string{"system.cpu.linux.thermal_throttle.events", "system.cpu.linux.thermal_throttle.time"},
	},
	{name: "proc/loadavg", warn: []string{"load", "processes"}, costs: []string{"system.cpu.load_average.", "system.thread.count"}},
	{
		name: "proc/uptime", warn: []string{"system"}, quiet: []string{"cut"}, // The second of its numbers is not read.
		costs: []string{"system.uptime", "process.uptime"}, parts: []string{"process.uptime"},
	},
	{
		name: "proc/meminfo", warn: []string{"memory", "memory_details", "process"}, quiet: []string{"cut"},
		costs: []string{
			"system.memory.usage", "system.memory.utilization", "system.memory.limit", "system.memory.linux.", "process.memory.utilization",
		},
		parts: []string{"system.memory.usage", "system.memory.utilization"}, // Huge pages are among the last lines.
	},
	{
		name: "proc/vmstat", warn: []string{"memory", "memory_details", "paging"}, quiet: []string{"missing", "empty", "cut", "garbage"}, // Each of its lines is optional, and so is all of it.
		costs: []string{"system.paging.faults", "system.paging.operations", "system.paging.io", "system.memory.linux.oom_kills", "system.memory.linux.zswap.operations"},
	},
	{
		name: "proc/buddyinfo", warn: []string{"memory_details"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.free_blocks"}, parts: []string{"system.memory.linux.free_blocks"},
	},
	{
		name: "sys/devices/system/node/node0/meminfo", warn: []string{"memory_details"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.numa.usage"},
	},
	{
		name: "sys/devices/system/node/node0/numastat", warn: []string{"memory_details"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.numa.allocations"}, parts: []string{"system.memory.linux.numa.allocations"},
	},
	{
		name: "sys/block/zram0/mm_stat", warn: []string{"memory_details"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.zram.usage"}, parts: []string{"system.memory.linux.zram.usage"},
	},
	{
		name: "sys/kernel/mm/ksm/pages_shared", warn: []string{"memory_details"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.ksm.pages"}, parts: []string{"system.memory.linux.ksm.pages"},
	},
	{
		name: "proc/mdstat", warn: []string{"raid"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.md.", "hw.status"}, parts: []string{"system.linux.md.", "hw.status"},
	},
	{
		name: "proc/spl/kstat/zfs/arcstats", warn: []string{"zfs"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.zfs.arc."},
	},
	{
		name: "proc/spl/kstat/zfs/tank/state", warn: []string{"zfs"}, quiet: []string{"missing"},
		costs: []string{"system.zfs.pool.state", "system.zfs.dataset."},
	},
	{
		name: "proc/spl/kstat/zfs/backup/io", warn: []string{"zfs"}, quiet: []string{"missing"},
		costs: []string{"system.zfs.pool."},
	},
	{
		name: "proc/spl/kstat/zfs/tank/objset-0x36", warn: []string{"zfs"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.zfs.dataset."},
	},
	{
		name: btrfsOfServer + "/allocation/data/bytes_used", warn: []string{"btrfs"}, quiet: []string{"cut"},
		costs: []string{"system.btrfs.allocation.usage"}, parts: []string{"system.btrfs.allocation.usage"},
	},
	{
		name: btrfsOfServer + "/devinfo/2/error_stats", warn: []string{"btrfs"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.btrfs.errors"}, parts: []string{"system.btrfs.errors"},
	},
	{
		name: "sys/fs/ext4/dm-1/errors_count", warn: []string{"filesystem"}, quiet: allFaults, // Of one filesystem, and opt-in of the kernel.
		costs: []string{"system.filesystem.linux.ext4.errors"}, parts: []string{"system.filesystem.linux.ext4.errors"},
	},
	{
		name: "proc/swaps", warn: []string{"paging"}, quiet: []string{"missing", "empty"}, // A host without swap.
		costs: []string{"system.paging.usage", "system.paging.utilization"},
	},
	{name: "proc/diskstats", warn: []string{"disk"}, quiet: []string{"missing", "empty"}, costs: []string{"system.disk."}},
	{
		name: "proc/pressure/cpu", warn: []string{"pressure"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.cpu.linux.pressure."}, parts: []string{"system.cpu.linux.pressure.total"},
	},
	{name: "proc/pressure/io", warn: []string{"pressure"}, quiet: []string{"missing", "cut"}, costs: []string{"system.io.linux.pressure."}},
	{name: "proc/pressure/irq", warn: []string{"pressure"}, quiet: []string{"missing"}, costs: []string{"system.irq.linux.pressure."}},
	{
		name: "proc/pressure/memory", warn: []string{"pressure"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.memory.linux.pressure."},
	},
	{
		name: "proc/sys/fs/file-nr", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.file_handle."}, parts: []string{"system.linux.file_handle.limit"},
	},
	{
		name: "proc/sys/kernel/pid_max", warn: []string{"processes"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.process.limit"}, parts: []string{"system.process.limit"},
	},
	{
		name: "proc/sys/kernel/threads-max", warn: []string{"processes"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.process.limit"}, parts: []string{"system.process.limit"},
	},
	{
		name: "proc/sys/kernel/hung_task_detect_count", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.task.hung"},
	},
	{
		name: "proc/sys/kernel/osrelease", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.kernel."}, parts: []string{"system.linux.kernel.info"},
	},
	{
		name: "proc/sys/kernel/version", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.kernel."}, parts: []string{"system.linux.kernel.info"},
	},
	{
		name: "proc/1/net/stat/nf_conntrack", warn: []string{"network"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.network.conntrack."}, parts: []string{"system.network.conntrack."},
	},
	{
		name: "proc/sys/net/netfilter/nf_conntrack_max", warn: []string{"network"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.network.conntrack."}, parts: []string{"system.network.conntrack."},
	},
	{
		name: "proc/1/net/dev", warn: []string{"network"}, quiet: []string{"empty"},
		said: "network: The host's network namespace can't be read below root_path: network metrics are those of this process's own namespace",
		costs: []string{
			"system.network.io", "system.network.packet.", "system.network.errors", "system.network.interface.",
		},
	},
	{
		name: "proc/1/net/tcp", warn: []string{"connections"}, quiet: []string{"missing", "empty", "cut"},
		costs: []string{"system.network.connection.count"}, parts: []string{"system.network.connection.count"},
	},
	{
		name: "proc/1/net/tcp6", warn: []string{"connections"}, quiet: []string{"missing", "empty", "cut"},
		costs: []string{"system.network.connection.count"}, parts: []string{"system.network.connection.count"},
	},
	{
		name: "proc/1/net/udp", warn: []string{"connections", "netstat"}, quiet: []string{"missing", "empty", "cut"},
		costs: []string{"system.network.connection.count", "system.network.udp.queue.usage"},
		parts: []string{"system.network.connection.count", "system.network.udp.queue.usage"},
	},
	{
		name: "proc/1/net/udp6", warn: []string{"connections", "netstat"}, quiet: []string{"missing", "empty", "cut"},
		costs: []string{"system.network.connection.count", "system.network.udp.queue.usage"},
		parts: []string{"system.network.connection.count", "system.network.udp.queue.usage"},
	},
	{
		name: "proc/1/net/snmp", warn: []string{"netstat"}, quiet: []string{"missing", "cut"},
		costs: []string{
			"system.network.tcp.segments", "system.network.tcp.retransmits", "system.network.tcp.errors", "system.network.tcp.resets.sent",
			"system.network.tcp.connection.resets", "system.network.tcp.opens", "system.network.tcp.open.failures", "system.network.tcp.established",
			"system.network.udp.datagrams", "system.network.udp.errors", "system.network.udp.receive.errors",
		},
	},
	{
		name: "proc/1/net/snmp6", warn: []string{"netstat"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.network.udp.datagrams", "system.network.udp.errors", "system.network.udp.receive.errors"},
		parts: []string{"system.network.udp.datagrams", "system.network.udp.errors", "system.network.udp.receive.errors"}, // Those over IPv4 remain.
	},
	{
		name: "proc/1/net/netstat", warn: []string{"netstat"}, quiet: []string{"missing"},
		costs: []string{
			"system.network.tcp.timeouts", "system.network.tcp.listen.", "system.network.tcp.syn_queue.", "system.network.tcp.syn_cookies",
			"system.network.tcp.memory.pressures", "system.network.tcp.backlog.drops", "system.network.tcp.aborts", "system.network.tcp.prunes",
			"system.network.tcp.out_of_order",
		},
	},
	{
		name: "proc/1/net/sockstat", warn: []string{"netstat"}, quiet: []string{"missing", "cut"},
		costs: []string{
			"system.network.socket.count", "system.network.tcp.socket.", "system.network.tcp.memory.usage", "system.network.udp.socket.count",
			"system.network.udp.memory.usage", "system.network.ip.fragment.memory.usage",
		},
	},
	{
		name: "proc/1/net/sockstat6", warn: []string{"netstat"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.network.tcp.socket.count", "system.network.udp.socket.count", "system.network.ip.fragment.memory.usage"},
		parts: []string{"system.network.tcp.socket.count", "system.network.udp.socket.count", "system.network.ip.fragment.memory.usage"},
	},
	{name: "proc/1/net/softnet_stat", warn: []string{"netstat"}, quiet: []string{"missing", "cut"}, costs: []string{"system.network.softnet."}, parts: []string{"system.network.softnet."}},
	{name: "proc/sys/net/ipv4/tcp_mem", warn: []string{"netstat"}, quiet: []string{"missing", "cut"}, costs: []string{"system.network.tcp.memory.limit"}},
	{
		name: "proc/sys/net/ipv4/tcp_max_orphans", warn: []string{"netstat"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.network.tcp.socket.orphaned.limit"}, parts: []string{"system.network.tcp.socket.orphaned.limit"},
	},
	{
		name: "proc/sys/kernel/random/entropy_avail", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.entropy.available"}, parts: []string{"system.linux.entropy.available"},
	},
	{
		name: "proc/sys/fs/inode-state", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.inode."}, parts: []string{"system.linux.inode."},
	},
	{
		name: "proc/sys/fs/dentry-state", warn: []string{"system"}, quiet: []string{"missing"},
		costs: []string{"system.linux.dentry."}, parts: []string{"system.linux.dentry."},
	},
	{
		name: "proc/interrupts", warn: []string{"system"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.cpu.linux.interrupts"}, parts: []string{"system.cpu.linux.interrupts"},
	},
	{
		name: "proc/schedstat", warn: []string{"cpu"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.cpu.linux.run_queue."}, parts: []string{"system.cpu.linux.run_queue."},
	},
	{name: "proc/sysvipc/sem", warn: []string{"ipc"}, quiet: []string{"missing"}, costs: []string{"system.linux.ipc."}, parts: []string{"system.linux.ipc.semaphore."}},
	{
		name: "proc/sysvipc/msg", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.message_queue."}, parts: []string{"system.linux.ipc.message_queue."},
	},
	{
		name: "proc/sysvipc/shm", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.shared_memory."}, parts: []string{"system.linux.ipc.shared_memory."},
	},
	{
		name: "proc/sys/kernel/sem", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.semaphore.limit", "system.linux.ipc.semaphore.set.limit"}, parts: []string{"system.linux.ipc.semaphore.limit"},
	},
	{
		name: "proc/sys/kernel/msgmni", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.message_queue.limit"}, parts: []string{"system.linux.ipc.message_queue.limit"},
	},
	{
		name: "proc/sys/kernel/shmmni", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.shared_memory.segment.limit"}, parts: []string{"system.linux.ipc.shared_memory.segment.limit"},
	},
	{
		name: "proc/sys/kernel/shmall", warn: []string{"ipc"}, quiet: []string{"missing", "cut"},
		costs: []string{"system.linux.ipc.shared_memory.limit"}, parts: []string{"system.linux.ipc.shared_memory.limit"},
	},
	{
		name: "proc/1204/limits", quiet: allFaults,
		costs: []string{"process.unix.file_descriptor.limit", "process.rlimit"}, parts: []string{"process.rlimit"},
	},
	{
		name: "sys/fs/cgroup/system.slice/postgresql.service/cpu.stat", warn: []string{"cgroup"}, quiet: []string{"missing", "cut"},
		costs: []string{"container.cpu."}, parts: []string{"container.cpu."},
	},
	{
		name: "sys/fs/cgroup/system.slice/postgresql.service/memory.current", warn: []string{"cgroup"}, quiet: []string{"missing", "cut"},
		costs: []string{"container.memory."}, parts: []string{"container.memory."},
	},
	{
		name: "sys/fs/cgroup/system.slice/postgresql.service/memory.stat", warn: []string{"cgroup"}, quiet: []string{"missing", "cut"},
		costs: []string{"container.memory.", "container.paging.faults"}, parts: []string{"container.memory.", "container.paging.faults"},
	},
	{
		name: "sys/fs/cgroup/system.slice/postgresql.service/io.stat", warn: []string{"cgroup"}, quiet: []string{"missing", "empty", "cut"},
		costs: []string{"container.disk."}, parts: []string{"container.disk."},
	},
	{
		name: "sys/fs/cgroup/system.slice/postgresql.service/io.pressure", warn: []string{"cgroup"}, quiet: []string{"missing", "cut"},
		costs: []string{"container.io.linux.pressure."},
	},
	{name: "proc/1/net/rpc/nfs", warn: []string{"nfs"}, quiet: []string{"missing"}, costs: []string{"nfs.client."}, parts: []string{"nfs.client.operation.count"}},
	{name: "proc/1/net/rpc/nfsd", warn: []string{"nfs"}, quiet: []string{"missing"}, costs: []string{"nfs.server."}, parts: []string{"nfs.server.operation.count"}},
	{
		name: "proc/1/mountinfo", warn: []string{"filesystem"}, quiet: []string{"empty", "cut", "garbage"},
		costs: []string{
			"system.filesystem.limit", "system.filesystem.usage", "system.filesystem.utilization", "system.filesystem.inodes.",
			"system.filesystem.read_only", "system.filesystem.error", "system.filesystem.linux.",
		},
	},
	{
		name: "run/utmp", warn: []string{"system"}, quiet: []string{"missing", "empty", "cut"}, // Nobody logged in, or fewer.
		costs: []string{"system.session.count", "system.user.count"}, parts: []string{"system.session.count", "system.user.count"},
	},
	{
		name: "sys/devices/system/edac/mc/mc0/ce_count", warn: []string{"hardware"}, quiet: []string{"missing", "cut"},
		costs: []string{"hw.errors"}, parts: []string{"hw.errors"},
	},
	{
		name: "sys/bus/pci/devices/0000_03_00.0/aer_dev_nonfatal", warn: []string{"hardware"}, quiet: []string{"missing"},
		costs: []string{"hw.errors"}, parts: []string{"hw.errors"},
	},
	{name: "proc/1204/stat", quiet: allFaults, costs: []string{"1204 process.", "system.process.count"}, parts: []string{"system.process.count"}},
	{name: "proc/1204/statm", quiet: allFaults, costs: []string{"1204 process.memory.shared"}, parts: []string{"1204 process.memory.shared"}},
	{name: "proc/1204/io", quiet: allFaults, costs: []string{"1204 process.disk.io", "1204 process.io.logical"}},
	{name: "proc/1204/status", quiet: allFaults, costs: []string{"1204 process.context_switches", "1204 process.memory.swap", "1204 process.signals_pending"}},
	{name: "proc/1204/cmdline", quiet: allFaults},
	{name: "proc/cpuinfo", quiet: allFaults}, // The resource of the host may have the model of its CPUs.
	{name: "proc/1204/cgroup", quiet: allFaults},
	{
		// Numbers stand for the names that are not there.
		name: "etc/passwd", warn: []string{"process"}, quiet: []string{"missing", "empty", "cut", "garbage"},
	},
}

// btrfsOfServer is where the btrfs filesystem of the fixture host is.
const btrfsOfServer = "sys/fs/btrfs/6d8bd8a7-1f4c-4d1f-9f0e-7a3f0c1d2e3f"

// unreadFiles are in the fixture for other tests, and of no meaning to the scrapers.
var unreadFiles = []string{
	"proc/filesystems", "proc/spl/kstat/zfs/backup/state", "proc/sys/kernel/hostname", "proc/1/mounts", "proc/1204/comm",
	"proc/sys/net/netfilter/nf_conntrack_count", // Of the reader's own network namespace.
}

// TestAFaultCostsOnlyItsOwn breaks the files of a host one at a time, in every way that a file can be bad. What does not come from the
// file is there as before, each class of fault is warned of once an hour by each scraper that reads the file, and when the file is good
// again everything is back.
func TestAFaultCostsOnlyItsOwn(t *testing.T) {
	root := copyServer(t)
	requireAllFilesKnown(t, root)
	healthy := figuresOfHealthy(t, root)
	for i := range kernelFiles {
		file := &kernelFiles[i]
		for fault, class := range fileFaults {
			t.Run(file.name+"/"+fault, func(t *testing.T) {
				mend := spoil(t, filepath.Join(root, file.name), fault)
				defer mend()
				f := startFixtureHost(t, root, everyScraper)
				f.first(t)
				file.check(t, healthy, pointValues(t, f.after(t, 10*time.Second)))
				file.checkWarnings(t, f, fault, class, 1)
				f.after(t, 59*time.Minute)
				file.checkWarnings(t, f, fault, class, 1)
				f.after(t, time.Minute)
				file.checkWarnings(t, f, fault, class, 2)

				mend()
				f.after(t, 10*time.Second)
				recovered := pointValues(t, f.after(t, 10*time.Second))
				for name := range healthy {
					_, ok := recovered[name]
					assert.True(t, ok, "%s is not back after the fault", name)
				}
			})
		}
	}
}

func figuresOfHealthy(t *testing.T, root string) (healthy map[string]float64) {
	t.Helper()
	t.Run("healthy", func(t *testing.T) {
		f := startFixtureHost(t, root, everyScraper)
		f.first(t)
		healthy = pointValues(t, f.after(t, 10*time.Second))
		require.Empty(t, f.warnings())
	})
	return healthy
}

// requireAllFilesKnown fails when the fixture has a file of the kernel that the table does not speak of. One process stands for all.
func requireAllFilesKnown(t *testing.T, root string) {
	t.Helper()
	known := slices.Clone(unreadFiles)
	for i := range kernelFiles {
		known = append(known, kernelFiles[i].name)
	}
	require.NoError(t, fs.WalkDir(os.DirFS(root), "proc", func(path string, entry fs.DirEntry, err error) error {
		parts := strings.Split(path, "/")
		ofProcess := len(parts) == 3 && parts[1][0] <= '9' && parts[1] != "1204" && !slices.Contains(known, path)
		if err == nil && entry.Type().IsRegular() && !ofProcess {
			assert.Contains(t, known, path)
		}
		return err
	}))
}

// spoil makes a file bad, and gives what makes it good again.
func spoil(t *testing.T, path, fault string) (mend func()) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	switch fault {
	case "empty":
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	case "cut":
		require.NoError(t, os.WriteFile(path, text[:len(text)/2], 0o600))
	case "garbage":
		garbage := make([]byte, len(text))
		_, err := rand.NewChaCha8([32]byte{}).Read(garbage)
		require.NoError(t, err)
		for i := 15; i < len(garbage); i += 16 {
			garbage[i] = '\n' // Lines, or all of it may be taken for a heading.
		}
		require.NoError(t, os.WriteFile(path, garbage, 0o600))
	case "a directory":
		require.NoError(t, os.Mkdir(path, 0o755))
	}
	return func() {
		require.NoError(t, os.RemoveAll(path))
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
}

// check compares a scrape with one of the healthy host.
func (k *kernelFile) check(t *testing.T, healthy, got map[string]float64) {
	t.Helper()
	for name, v := range got {
		want, ok := healthy[name]
		assert.True(t, ok, "%s is of no healthy host", name)
		assert.True(t, v == want || isOneOf(name, k.parts) || isOneOf(name, spaceOfThisMachine) || isOneOf(name, clockOfThisMachine), "%s is %v instead of %v", name, v, want)
	}
	for name := range healthy {
		_, ok := got[name]
		assert.True(t, ok || isOneOf(name, k.costs), "%s is missing", name)
	}
}

// spaceOfThisMachine is what statfs says: it changes while the test runs.
var spaceOfThisMachine = []string{"system.filesystem.usage", "system.filesystem.utilization", "system.filesystem.inodes.usage"}

// clockOfThisMachine is what adjtimex(2) says, whatever the root: it changes while the test runs.
var clockOfThisMachine = []string{"system.clock."}

// isOneOf is whether a point belongs to one of the metrics, of whichever process unless one is named.
func isOneOf(point string, metrics []string) bool {
	name, _, _ := strings.Cut(point, "{")
	_, ofAny, _ := strings.Cut(name, " ")
	return slices.ContainsFunc(metrics, func(m string) bool {
		if family, ok := strings.CutSuffix(m, "."); ok {
			return strings.HasPrefix(name, family+".") || strings.HasPrefix(ofAny, family+".")
		}
		return name == m || ofAny == m
	})
}

// checkWarnings compares what was said with what is to be said in so many periods.
func (k *kernelFile) checkWarnings(t *testing.T, f *fixtureHost, fault, class string, periods int) {
	t.Helper()
	want := make(map[string]int)
	for _, scraper := range k.warn {
		want[scraper+": "+class+" Some metrics can't be read and are left out; this is logged once an hour at most"] = periods
	}
	said := make(map[string]int)
	for what, n := range f.warnings() {
		scraper, _, _ := strings.Cut(what, ":")
		said[strings.Replace(what, "No metrics of the "+scraper+" scraper can be read;", "Some metrics can't be read and are left out;", 1)] += n
	}
	delete(said, ": The boot time can't be read; counters are taken to start with the receiver") // Said once, at the start.
	if fault == "missing" && k.said != "" {
		want[k.said] = 1
	}
	if !slices.Contains(k.quiet, fault) {
		assert.Equal(t, want, said)
		return
	}
	for what, n := range said {
		assert.LessOrEqual(t, n, want[what], what)
	}
}
