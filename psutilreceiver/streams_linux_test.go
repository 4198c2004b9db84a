package psutilreceiver

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// streamPoint is a number point with what its temporality makes of it.
type streamPoint struct {
	start, time pcommon.Timestamp
	value       float64
	temporality pmetric.AggregationTemporality // unspecified for a gauge
}

// oneScraper is a receiver with a single scraper, which scrapes when a test says so.
type oneScraper struct {
	group *scrapeGroup
	clock *steppedClock
}

func newOneScraper(t *testing.T, clock *steppedClock, configure func(*Config)) *oneScraper {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Scrapers = offeredScrapers()
	configure(cfg)
	require.NoError(t, cfg.Validate())
	r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
	require.NoError(t, err)
	r.now = clock.read
	groups, err := r.buildGroups()
	require.NoError(t, err)
	require.Len(t, groups, 1)
	t.Cleanup(func() { require.NoError(t, groups[0].close()) })
	return &oneScraper{group: groups[0], clock: clock}
}

// scrape gives the points of one scrape by what they belong to, metric and attributes. Whatever happens, no point may be negative, and
// the points of a counter span time.
func (o *oneScraper) scrape(t *testing.T) map[string]streamPoint {
	t.Helper()
	require.Len(t, o.group.runs, 1)
	md, err := o.group.runs[0].scrape(context.Background())
	require.NoError(t, err)
	points := make(map[string]streamPoint)
	for _, rm := range md.ResourceMetrics().All() {
		of := ""
		for _, key := range []string{"process.pid", "process.group.name", "process.command"} {
			if v, ok := rm.Resource().Attributes().Get(key); ok {
				of += v.AsString() + " "
			}
		}
		for _, m := range rm.ScopeMetrics().At(0).Metrics().All() {
			dps, p := pmetric.NumberDataPointSlice{}, streamPoint{}
			if m.Type() == pmetric.MetricTypeSum {
				dps, p.temporality = m.Sum().DataPoints(), m.Sum().AggregationTemporality()
			} else {
				dps = m.Gauge().DataPoints()
			}
			for _, dp := range dps.All() {
				key := of + m.Name() + attributesOf(dp.Attributes())
				require.NotContains(t, points, key, "duplicate point")
				p.start, p.time, p.value = dp.StartTimestamp(), dp.Timestamp(), dp.DoubleValue()
				if dp.ValueType() == pmetric.NumberDataPointValueTypeInt {
					p.value = float64(dp.IntValue())
				}
				require.GreaterOrEqual(t, p.value, 0.0, key)
				require.Equal(t, pcommon.NewTimestampFromTime(o.clock.read()), p.time, key)
				if m.Type() == pmetric.MetricTypeSum && m.Sum().IsMonotonic() {
					require.Less(t, p.start, p.time, key)
				}
				require.LessOrEqual(t, p.start, p.time, key)
				points[key] = p
			}
		}
	}
	return points
}

// A pair of virtual interfaces is loaded, deleted and made again under the same name, in network namespaces that the test has made. The
// kernel keeps no birth time of an interface; its index distinguishes the two.
func TestARecreatedInterfaceStartsAgain(t *testing.T) {
	if !inNetworkNamespace(t) {
		return
	}
	clock := &steppedClock{now: time.Now()}
	scrapers := map[Temporality]*oneScraper{}
	for _, temporality := range []Temporality{TemporalityCumulative, TemporalityDelta} {
		scrapers[temporality] = newOneScraper(t, clock, func(cfg *Config) {
			cfg.Scrapers.Network.GetOrInsertDefault()
			cfg.Temporality, cfg.Rates.Enabled = temporality, true
		})
	}
	// Between two reads the kernel may send a little on its own account, such as router solicitations.
	const noise = 1500
	const sent = "{network.interface.name=psutil0,network.io.direction=transmit}"
	// next scrapes ten seconds later and gives what was sent through the interface: total, delta and rate, and the time of the scrape.
	next := func() (total, delta, rate streamPoint, at pcommon.Timestamp) {
		clock.step(10 * time.Second)
		before := bytesSent(t)
		cumulative, deltas := scrapers[TemporalityCumulative].scrape(t), scrapers[TemporalityDelta].scrape(t)
		after := bytesSent(t)
		total, delta = cumulative["system.network.io"+sent], deltas["system.network.io"+sent]
		if before >= 0 {
			require.Equal(t, pmetric.AggregationTemporalityCumulative, total.temporality)
			require.GreaterOrEqual(t, total.value, before, "what the kernel says before")
			require.LessOrEqual(t, total.value, after, "what the kernel says after")
		}
		rate = deltas["system.network.io.rate"+sent]
		require.InDelta(t, cumulative["system.network.io.rate"+sent].value, rate.value, noise/10)
		return total, delta, rate, pcommon.NewTimestampFromTime(clock.read())
	}

	addPair(t)
	send(t, 10_000)
	old, delta, rate, _ := next()
	assert.Equal(t, scrapers[TemporalityCumulative].group.boot, old.start, "it was there in the first scrape")
	assert.Zero(t, delta, "a delta knows no past")
	assert.Zero(t, rate)

	send(t, 30_000)
	grown, delta, rate, previous := next()
	assert.Equal(t, old.start, grown.start)
	assert.InDelta(t, grown.value-old.value, delta.value, noise)
	assert.GreaterOrEqual(t, delta.value, 18_000.0)
	assert.Equal(t, old.time, delta.start)
	assert.InDelta(t, delta.value/10, rate.value, 1e-9)

	for _, story := range []struct {
		name  string
		bytes float64
	}{{"with less than it had", 5_000}, {"with more than it had", 200_000}, {"with about as much", 200_000}} {
		ip(t, "link", "delete", "psutil0")
		addPair(t)
		send(t, story.bytes)
		again, delta, rate, _ := next()
		assert.Equal(t, previous, again.start, "%s: it is younger than the previous scrape", story.name)
		assert.GreaterOrEqual(t, again.value, story.bytes, story.name)
		assert.Equal(t, previous, delta.start, story.name)
		assert.InDelta(t, again.value, delta.value, noise, "%s: all of it is new", story.name)
		assert.Zero(t, rate, "%s: there is no rate over a reset", story.name)

		send(t, again.value+3_000)
		goesOn, delta, rate, at := next()
		assert.Equal(t, again.start, goesOn.start, story.name)
		assert.InDelta(t, goesOn.value-again.value, delta.value, noise, story.name)
		assert.Positive(t, rate.value, story.name)
		previous = at
	}

	ip(t, "link", "delete", "psutil0")
	gone, delta, _, previous := next()
	assert.Zero(t, gone, "what is gone has no points")
	assert.Zero(t, delta)
	addPair(t)
	send(t, 4_000)
	plugged, delta, _, _ := next()
	assert.Equal(t, previous, plugged.start, "plugged in after a scrape without it")
	assert.Equal(t, previous, delta.start)
	assert.InDelta(t, plugged.value, delta.value, noise)
	for _, o := range scrapers {
		assert.Positive(t, o.group.runs[0].stage.Resets().StartChanged)
		assert.Zero(t, o.group.runs[0].stage.Resets().LowerValue, "each restart was known by the interface's index")
	}
}

// inNetworkNamespace runs the test that calls it once more in a process with a network and a mount namespace of its own, which end with it.
// There it returns true; here, when that process is done, false.
func inNetworkNamespace(t *testing.T) bool {
	t.Helper()
	const marker = "PSUTIL_TEST_IN_NETWORK_NAMESPACE"
	if os.Getenv(marker) == t.Name() {
		require.NoError(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		// A sysfs that was mounted by another network namespace shows the interfaces of that one.
		require.NoError(t, unix.Mount("sysfs", "/sys", "sysfs", 0, ""))
		require.NoError(t, unix.Mount("tmpfs", "/run", "tmpfs", 0, "")) // Names of namespaces live there.
		ip(t, "netns", "add", "peer")
		return true
	}
	testenv.Root(t, "makes network namespaces")
	testenv.Program(t, "ip")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), marker+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	testenv.InNamespace(t, out, err)
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS: "+t.Name(), "%s", out)
	return false
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %v: %s", args, out)
}

// addPair joins this namespace and its peer by a pair of interfaces, 10.77.0.1 and 10.77.0.2, that know each other's address.
func addPair(t *testing.T) {
	t.Helper()
	const ours, theirs = "02:00:00:00:77:01", "02:00:00:00:77:02"
	out, err := exec.CommandContext(t.Context(), "ip", "link", "add", "psutil0", "address", ours, "type", "veth",
		"peer", "name", "psutil1", "address", theirs, "netns", "peer").CombinedOutput()
	if strings.Contains(string(out), "Unknown device type") || strings.Contains(string(out), "not supported") {
		testenv.Missing(t, "this kernel has no virtual interfaces: %s", out)
	}
	require.NoError(t, err, "%s", out)
	ip(t, "address", "add", "10.77.0.1/24", "dev", "psutil0")
	ip(t, "-n", "peer", "address", "add", "10.77.0.2/24", "dev", "psutil1")
	ip(t, "link", "set", "psutil0", "up")
	ip(t, "-n", "peer", "link", "set", "psutil1", "up")
	ip(t, "neighbour", "add", "10.77.0.2", "lladdr", theirs, "dev", "psutil0")
	ip(t, "-n", "peer", "neighbour", "add", "10.77.0.1", "lladdr", ours, "dev", "psutil1")
}

// send sends datagrams to the peer until the kernel has counted so many bytes. What is sent before the link is up, it does not count.
func send(t *testing.T, bytes float64) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "10.77.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	peer := &net.UDPAddr{IP: net.IPv4(10, 77, 0, 2), Port: 9}
	for deadline := time.Now().Add(time.Minute); bytesSent(t) < bytes; {
		require.True(t, time.Now().Before(deadline), "the link did not come up")
		_, err := conn.WriteTo(make([]byte, 1000), peer)
		require.NoError(t, err)
	}
}

// bytesSent is what the kernel has counted in sysfs, -1 where there is no interface.
func bytesSent(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/sys/class/net/psutil0/statistics/tx_bytes")
	if errors.Is(err, os.ErrNotExist) {
		return -1
	}
	require.NoError(t, err)
	v, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
	require.NoError(t, err)
	return v
}

// When a CPU goes offline the kernel takes its idle time out of the sum. The stream goes on from where it was, and rounding must not
// make it a little less: that would be a reset, and the delta the time since boot.
func TestACPUThatGoesOfflineIsNoReset(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 4))
	for range 20_000 {
		before := 1000 + float64(rnd.Int64N(1e8))/100
		clock := &clockAt{boot: time.Unix(1_700_000_000, 0)}
		var c cpuStream
		c.advanceTotal(clock.next(), times(0, before, 0), 1)
		c.advanceTotal(clock.next(), times(0, float64(rnd.Int64N(int64(before*99)))/100, 0), 1)
		require.GreaterOrEqual(t, c.value[3], before)
	}
}
