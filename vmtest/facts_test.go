package vmtest

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// factFunctions are what the commands of facts use: of gives a column of a file that has a line of names before each line of values, field a
// word of the line that begins with a word, nothing if there is none.
const factFunctions = `
of() { awk -v p="$2:" -v k="$3" '$1==p { if (!c) { for (i=2;i<=NF;i++) if ($i==k) c=i } else { print $c; exit } }' /proc/net/$1; }
field() { awk -v p="$2" -v n="$3" '$1==p { s+=$n; found=1 } END { if (found) print s+0 }' $1; }
named() { awk -v p="$2" -v k="$3" '$1==p { for (i=2;i<NF;i+=2) if ($i==k) print $(i+1) }' /proc/net/$1; }
add() { echo $(($1+$2)); }
`

// fact is a metric of the default scrapers, and the command by which the kernel says what it is.
type fact struct {
	metric     string
	attributes []string
	command    string
	scale      float64 // of what the command prints, 1 if zero
	slack      float64 // what it may be off for what goes on by itself
	optional   bool    // a kernel may be built without it: then there is no metric
}

func columns(metric, file, protocol string, byAttributes map[string][]string) (facts []fact) {
	for column, attributes := range byAttributes {
		facts = append(facts, fact{metric: metric, attributes: attributes, command: fmt.Sprintf("of %s %s %s", file, protocol, column)})
	}
	return facts
}

func allFacts() (facts []fact) {
	for metric, column := range map[string]string{
		"retransmits": "RetransSegs", "errors": "InErrs", "resets.sent": "OutRsts", "connection.resets": "EstabResets", "open.failures": "AttemptFails",
		"established": "CurrEstab",
	} {
		facts = append(facts, columns("system.network.tcp."+metric, "snmp", "Tcp", map[string][]string{column: nil})...)
	}
	for metric, column := range map[string]string{
		"timeouts": "TCPTimeouts", "listen.overflows": "ListenOverflows", "listen.drops": "ListenDrops", "memory.pressures": "TCPMemoryPressures",
		"backlog.drops": "TCPBacklogDrop",
	} {
		facts = append(facts, columns("system.network.tcp."+metric, "netstat", "TcpExt", map[string][]string{column: nil})...)
	}
	facts = append(facts, columns("system.network.tcp.segments", "snmp", "Tcp", map[string][]string{
		"InSegs": {"network.io.direction", "receive"}, "OutSegs": {"network.io.direction", "transmit"},
	})...)
	facts = append(facts, columns("system.network.tcp.opens", "snmp", "Tcp", map[string][]string{
		"ActiveOpens": {"system.network.tcp.open.type", "active"}, "PassiveOpens": {"system.network.tcp.open.type", "passive"},
	})...)
	facts = append(facts, columns("system.network.tcp.aborts", "netstat", "TcpExt", map[string][]string{
		"TCPAbortOnData": {"system.network.tcp.abort.reason", "data"}, "TCPAbortOnTimeout": {"system.network.tcp.abort.reason", "timeout"},
	})...)
	both := func(column string) string {
		return fmt.Sprintf("add $(of snmp Udp %s) $(field /proc/net/snmp6 Udp6%s 2)", column, column)
	}
	return append(facts,
		fact{metric: "system.network.udp.datagrams", attributes: []string{"network.io.direction", "receive"}, command: both("InDatagrams")},
		fact{metric: "system.network.udp.datagrams", attributes: []string{"network.io.direction", "transmit"}, command: both("OutDatagrams")},
		fact{metric: "system.network.udp.errors", attributes: []string{"error.type", "no_port"}, command: both("NoPorts")},
		fact{metric: "system.network.udp.errors", attributes: []string{"error.type", "receive_buffer"}, command: both("RcvbufErrors")},
		fact{metric: "system.network.socket.count", command: "named sockstat sockets: used", slack: 2},
		fact{metric: "system.network.tcp.socket.count", command: "add $(named sockstat TCP: inuse) $(named sockstat6 TCP6: inuse)"},
		fact{metric: "system.network.tcp.socket.orphaned", command: "named sockstat TCP: orphan"},
		fact{metric: "system.network.tcp.socket.time_wait", command: "named sockstat TCP: tw"},
		fact{metric: "system.network.tcp.socket.allocated", command: "named sockstat TCP: alloc"},
		fact{metric: "system.network.tcp.memory.usage", command: "named sockstat TCP: mem", scale: 4096},
		fact{metric: "system.network.tcp.memory.limit", command: "awk '{print $3}' /proc/sys/net/ipv4/tcp_mem", scale: 4096},
		fact{metric: "system.network.udp.socket.count", command: "add $(named sockstat UDP: inuse) $(named sockstat6 UDP6: inuse)"},
		fact{metric: "system.network.udp.memory.usage", command: "named sockstat UDP: mem", scale: 4096},
		fact{metric: "system.network.softnet.processed", command: "s=0; while read a b c rest; do s=$((s+0x$a)); done </proc/net/softnet_stat; echo $s"},
		fact{metric: "system.network.softnet.dropped", command: "s=0; while read a b c rest; do s=$((s+0x$b)); done </proc/net/softnet_stat; echo $s"},
		fact{metric: "system.network.softnet.squeezed", command: "s=0; while read a b c rest; do s=$((s+0x$c)); done </proc/net/softnet_stat; echo $s"},
		fact{metric: "system.network.interface.carrier_changes", attributes: []string{"network.interface.name", "lo"}, command: "cat /sys/class/net/lo/carrier_changes"},
		fact{metric: "system.linux.entropy.available", command: "cat /proc/sys/kernel/random/entropy_avail"},
		fact{metric: "system.linux.inode.count", command: "awk '{print $1}' /proc/sys/fs/inode-nr", slack: 200},
		fact{metric: "system.linux.dentry.count", command: "awk '{print $1}' /proc/sys/fs/dentry-state", slack: 200},
		fact{metric: "system.memory.linux.oom_kills", command: "field /proc/vmstat oom_kill 2"},
		fact{metric: "system.memory.linux.hardware_corrupted", command: "field /proc/meminfo HardwareCorrupted: 2", scale: 1024, optional: true},
		fact{metric: "system.filesystem.linux.ext4.errors", attributes: []string{"system.filesystem.mountpoint", "/"}, command: "cat /sys/fs/ext4/*/errors_count"},
		fact{metric: "system.filesystem.read_only", attributes: []string{"system.filesystem.mountpoint", "/"}, command: "echo 0"},
		fact{metric: "system.filesystem.error", attributes: []string{"system.filesystem.mountpoint", "/"}, command: "echo 0"},
		fact{metric: "system.clock.max_error", command: "adjtimex | awk '$1==\"maxerror:\" {print $2}'", scale: 1e-6},
		fact{metric: "system.clock.synchronized", command: "adjtimex | awk '$1==\"status:\" {print ($2%128<64)+0}'"},
	)
}

// testFacts holds the facts of the default scrapers against the kernel's files, while connections are made and refused, and a filesystem has an
// error. What this host lacks has no metric, and the Collector has nothing to complain of.
func testFacts(t *testing.T, vm *machine.Machine) {
	t.Helper()
	facts := allFacts()
	script := factFunctions
	for _, f := range facts {
		script += "echo $(" + f.command + ")\n"
	}
	ask := func() (values []float64) {
		out := run(t, vm, "%s", script)
		for i, line := range strings.Split(out, "\n") {
			if line == "" && facts[i].optional {
				values = append(values, math.NaN())
				continue
			}
			v, err := strconv.ParseFloat(line, 64)
			require.NoError(t, err, "%s", facts[i].command)
			if facts[i].scale != 0 {
				v *= facts[i].scale
			}
			values = append(values, v)
		}
		require.Len(t, values, len(facts))
		return values
	}
	c := startCollector(t, vm, "receivers: {psutil: {collection_interval: 1s}}\n"+metricsTo("psutil"))
	c.batches(t, 1)
	run(t, vm, "(echo hello | nc -l -p 4000 >/dev/null) & sleep 0.5; echo hello | nc -w 1 127.0.0.1 4000; nc -w 1 127.0.0.1 4001 || true; ping -c 2 -i 0.2 127.0.0.1; "+
		"echo datagram | nc -u -w 1 127.0.0.1 4002 || true; echo test >$(echo /sys/fs/ext4/*/trigger_fs_error)")
	before := ask()
	c.batches(t, 3)
	after := ask()
	log := c.log(t)
	ps := c.finish(t, points.Allowed{})
	for i, f := range facts {
		found := ps.Of(f.metric, f.attributes...)
		if math.IsNaN(after[i]) {
			assert.Empty(t, found, "%s: this kernel has none", f.metric)
			continue
		}
		if !assert.NotEmpty(t, found, "%s %v: the kernel says %v", f.metric, f.attributes, after[i]) {
			continue
		}
		told := found[len(found)-1].Value
		// Between both answers there are several scrapes, and the last may come before or after the second.
		if least, most := min(before[i], after[i])-f.slack, max(before[i], after[i])+f.slack; told < least || told > most+1e-9 {
			t.Errorf("%s %v is %v, the kernel said %v and %v", f.metric, f.attributes, told, before[i], after[i])
		}
	}
	for _, p := range ps {
		for _, absent := range []string{"hw.", "system.zfs.", "system.btrfs.", "system.linux.md.", "system.network.bond.", "system.linux.reboot_required", "systemd."} {
			assert.False(t, strings.HasPrefix(p.Metric, absent), "%v of a host that has none", p)
		}
	}
	assert.Empty(t, log, "what the Collector has to say")
}
