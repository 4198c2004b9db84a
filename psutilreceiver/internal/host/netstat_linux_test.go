package host

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNetstatOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	var tcp TCP
	var udp, udp6 UDP
	require.NoError(t, h.SNMP(&tcp, &udp))
	require.NoError(t, h.UDP6(&udp6))
	assert.Equal(t, TCP{
		Received: 820330204, Sent: 990111044, Retransmits: 28440, Errors: 3, ResetsSent: 32195, ConnectionResets: 4236,
		ActiveOpens: 150924, PassiveOpens: 421208, OpenFailures: 2802, Established: 3,
	}, tcp)
	assert.Equal(t, UDP{
		Received: 402211 + 12044, Sent: 412033 + 11033, NoPort: 203 + 7, ReceiveErrors: 57 + 9, ReceiveBuffer: 40 + 6, SendBuffer: 3 + 1,
		Checksum: 11 + 2, Memory: 4 + 1,
	}, udp.Plus(&udp6))
	var extra TCPExtra
	require.NoError(t, h.TCPExtra(&extra))
	assert.Equal(t, TCPExtra{
		Timeouts: 2421, ListenOverflows: 33, ListenDrops: 44, QueueFullDrops: 8, QueueFullCookies: 121, CookiesSent: 120, CookiesReceived: 88,
		CookiesFailed: 14, MemoryPressures: 9, BacklogDrops: 22, AbortOnData: 2142, AbortOnClose: 814, AbortOnMemory: 1, AbortOnTimeout: 77,
		AbortOnLinger: 5, AbortFailed: 6, PruneCalled: 473, PruneReceive: 20, PruneOutOfOrder: 2, OutOfOrderQueued: 2204,
	}, extra)
	var sockets Sockets
	require.NoError(t, h.Sockets(&sockets))
	require.NoError(t, h.AddSockets6(&sockets))
	assert.Equal(t, Sockets{
		Used: 412, TCP: 6, UDP: 2, TCPOrphaned: 0, TCPTimeWait: 1, TCPAllocated: 8, TCPMemory: 3 * pageSize, UDPMemory: pageSize, FragmentMemory: 0,
	}, sockets)
	limit, err := h.TCPMemoryLimit()
	require.NoError(t, err)
	assert.Equal(t, 381138*pageSize, limit)
	orphans, err := h.TCPOrphanLimit()
	require.NoError(t, err)
	assert.EqualValues(t, 65536, orphans)
}

// TestNetstatOfAnOldKernel has fewer columns, and no IPv6 in the container.
func TestNetstatOfAnOldKernel(t *testing.T) {
	h := fixtureHost(t, "kernel-4.4")
	var tcp TCP
	var udp, udp6 UDP
	require.NoError(t, h.SNMP(&tcp, &udp))
	require.NoError(t, h.UDP6(&udp6))
	sum := udp.Plus(&udp6)
	assert.Equal(t, UDP{Received: 2064, Sent: 2054, NoPort: 3, ReceiveErrors: 1, ReceiveBuffer: 1, SendBuffer: 0, Checksum: 0, Memory: absent}, sum)
	_, err := h.TCPMemoryLimit()
	require.ErrorIs(t, err, ErrUnsupported)

	container := fixtureHost(t, "container")
	require.NoError(t, container.SNMP(&tcp, &udp))
	require.ErrorIs(t, container.UDP6(&udp6), ErrUnsupported)
	var sockets Sockets
	require.NoError(t, container.Sockets(&sockets))
	require.NoError(t, container.AddSockets6(&sockets), "a kernel without IPv6 has none over it")
	assert.EqualValues(t, 1, sockets.TCP)
}

// TestPairedLinesInAnyOrder holds that a counter is found by its name, wherever a kernel has it and whatever else it has.
func TestPairedLinesInAnyOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	known := []string{"ActiveOpens", "InSegs", "OutSegs", "RetransSegs", "CurrEstab", "OutRsts", "InErrs", "EstabResets", "AttemptFails", "PassiveOpens"}
	for range 300 {
		names := append([]string{"RtoMin", "Unheard", "MaxConn"}, known...)
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		want := noTCP()
		values := make([]string, len(names))
		for i, name := range names {
			v := random.Int64()
			text := strconv.FormatInt(v, 10)
			if random.IntN(5) == 0 {
				text, v = []string{"-1", "", "18446744073709551615", "x"}[random.IntN(4)], Odd
			}
			values[i] = text
			if dst := want.field([]byte(name)); dst != nil {
				*dst = v
			}
		}
		text := "Icmp: A B\nIcmp: 1 2\nTcp: " + strings.Join(names, " ") + "\nTcp: " + strings.Join(values, " ") + "\n"
		var tcp TCP
		var udp UDP
		err := parseSNMP(snmpFile, []byte(text), &tcp, &udp)
		assert.Equal(t, want, tcp, text)
		assert.Equal(t, NoUDP(), udp)
		assert.Equal(t, strings.Contains(fmt.Sprintf("%+v", want), ":-2"), IsOdd(err), text)
	}
}

func TestUDPPlus(t *testing.T) {
	for _, c := range []struct{ v4, v6, want int64 }{
		{1, 2, 3}, {1, absent, 1}, {absent, 2, absent}, {Odd, 2, Odd}, {1, Odd, Odd}, {1 << 62, 1 << 62, Odd},
	} {
		u, v := UDP{Received: c.v4}, UDP{Received: c.v6}
		assert.Equal(t, c.want, u.Plus(&v).Received, "%+v", c)
	}
}

// TestNetstatOfThisKernel compares with what Prometheus' library reads, before and after.
func TestNetstatOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	self, err := procfs.Self()
	require.NoError(t, err)
	var tcp TCP
	var udp UDP
	var extra TCPExtra
	for range 2 { // The second time from the files that are open.
		h.Begin()
		snmpBefore, err := self.Snmp()
		require.NoError(t, err)
		netstatBefore, err := self.Netstat()
		require.NoError(t, err)
		require.NoError(t, h.SNMP(&tcp, &udp))
		require.NoError(t, h.TCPExtra(&extra))
		snmpAfter, err := self.Snmp()
		require.NoError(t, err)
		netstatAfter, err := self.Netstat()
		require.NoError(t, err)
		for name, c := range map[string]struct {
			before, after *float64
			got           int64
		}{
			"InSegs":          {snmpBefore.InSegs, snmpAfter.InSegs, tcp.Received},
			"OutSegs":         {snmpBefore.OutSegs, snmpAfter.OutSegs, tcp.Sent},
			"RetransSegs":     {snmpBefore.RetransSegs, snmpAfter.RetransSegs, tcp.Retransmits},
			"OutRsts":         {snmpBefore.OutRsts, snmpAfter.OutRsts, tcp.ResetsSent},
			"EstabResets":     {snmpBefore.EstabResets, snmpAfter.EstabResets, tcp.ConnectionResets},
			"ActiveOpens":     {snmpBefore.ActiveOpens, snmpAfter.ActiveOpens, tcp.ActiveOpens},
			"PassiveOpens":    {snmpBefore.PassiveOpens, snmpAfter.PassiveOpens, tcp.PassiveOpens},
			"InDatagrams":     {snmpBefore.Udp.InDatagrams, snmpAfter.Udp.InDatagrams, udp.Received},
			"NoPorts":         {snmpBefore.Udp.NoPorts, snmpAfter.Udp.NoPorts, udp.NoPort},
			"ListenOverflows": {netstatBefore.ListenOverflows, netstatAfter.ListenOverflows, extra.ListenOverflows},
			"ListenDrops":     {netstatBefore.ListenDrops, netstatAfter.ListenDrops, extra.ListenDrops},
			"TCPTimeouts":     {netstatBefore.TCPTimeouts, netstatAfter.TCPTimeouts, extra.Timeouts},
			"SyncookiesSent":  {netstatBefore.SyncookiesSent, netstatAfter.SyncookiesSent, extra.CookiesSent},
		} {
			if c.before == nil || c.after == nil {
				assert.Equal(t, int64(absent), c.got, name)
				continue
			}
			assert.GreaterOrEqual(t, float64(c.got), *c.before, name)
			assert.LessOrEqual(t, float64(c.got), *c.after, name)
		}
	}
	assert.Equal(t, 2, openFiles(h), "kept open")
	assert.Zero(t, testing.AllocsPerRun(50, func() {
		h.Begin()
		_, _ = h.SNMP(&tcp, &udp), h.TCPExtra(&extra)
	}))
}

func TestSocketsOfThisKernel(t *testing.T) {
	h, err := New("")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	var s Sockets
	require.NoError(t, h.Sockets(&s))
	require.NoError(t, h.AddSockets6(&s))
	assert.Positive(t, s.Used)
	assert.GreaterOrEqual(t, s.TCP, int64(0))
	_, softErr := os.Stat("/proc/net/softnet_stat")
	require.NoError(t, softErr)
	soft := NewSoftnet(h)
	total, cpus, err := soft.Read()
	require.NoError(t, err)
	sum := int64(0)
	for i := range cpus {
		sum += cpus[i].Processed
	}
	assert.Equal(t, sum, total.Processed)
	assert.NotEmpty(t, cpus)
}

func FuzzParseNetstat(f *testing.F) {
	for _, name := range []string{"snmp", "netstat", "snmp6", "sockstat"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "hosts", "server-6.x", "proc", "1", "net", name))
		require.NoError(f, err)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var tcp TCP
		var udp, udp6 UDP
		var extra TCPExtra
		var sockets Sockets
		_ = parseSNMP(snmpFile, text, &tcp, &udp)
		_ = parseSNMP6(snmp6File, text, &udp6)
		_ = parseNetstat(netstatFile, text, &extra)
		sockets = noSockets()
		_ = sockets.parse(sockstatFile, text, false)
		_ = sockets.parse(sockstat6File, text, true)
		udp = udp.Plus(&udp6)
		for _, v := range []int64{
			tcp.Received, tcp.Sent, tcp.Established, udp.Received, udp.NoPort, udp.Memory, extra.Timeouts, extra.AbortFailed, sockets.TCP,
			sockets.TCPMemory, sockets.FragmentMemory,
		} {
			assert.GreaterOrEqual(t, v, int64(Odd))
		}
	})
}
