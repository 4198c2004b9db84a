package psutilreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

func networkScraperOf(cfg NetworkConfig) func(ScraperConfig, scraperSettings) (scraper, error) {
	return func(_ ScraperConfig, settings scraperSettings) (scraper, error) {
		return newNetworkScraper(cfg, settings)
	}
}

func TestNetworkScraper(t *testing.T) {
	cfg := NetworkConfig{Include: InterfaceMatch{Interfaces: []string{"eno1"}}}
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		m.SystemNetworkInterfaceMtu.Enabled, m.SystemNetworkInterfaceDuplex.Enabled = true, true
	}, networkScraperOf(cfg))
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{
		"system.network.io{network.interface.name=eno1,network.io.direction=receive}":                             902211033412,
		"system.network.io{network.interface.name=eno1,network.io.direction=transmit}":                            1402211033004,
		"system.network.packet.count{network.io.direction=receive,system.device=eno1}":                            820331204,
		"system.network.packet.count{network.io.direction=transmit,system.device=eno1}":                           990112044,
		"system.network.errors{network.interface.name=eno1,network.io.direction=receive}":                         3,
		"system.network.errors{network.interface.name=eno1,network.io.direction=transmit}":                        0,
		"system.network.packet.dropped{network.interface.name=eno1,network.io.direction=receive}":                 1204,
		"system.network.packet.dropped{network.interface.name=eno1,network.io.direction=transmit}":                12,
		"system.network.interface.fifo_errors{network.interface.name=eno1,network.io.direction=receive}":          0,
		"system.network.interface.fifo_errors{network.interface.name=eno1,network.io.direction=transmit}":         0,
		"system.network.interface.carrier_changes{network.interface.name=eno1}":                                   2,
		"system.network.interface.up{network.interface.name=eno1}":                                                1,
		"system.network.interface.speed{network.interface.name=eno1}":                                             1e10,
		"system.network.interface.mtu{network.interface.name=eno1}":                                               9000,
		"system.network.interface.duplex{network.interface.duplex=full,network.interface.name=eno1}":              1,
		"system.network.bond.interfaces{system.network.bond.interface.state=up,system.network.bond.name=bond0}":   1,
		"system.network.bond.interfaces{system.network.bond.interface.state=down,system.network.bond.name=bond0}": 1,
		"system.network.conntrack.count": 1804,
		"system.network.conntrack.limit": 262144,
	}, pointsOf(t, md))
}

func TestInterfacesThatAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  NetworkConfig
		want []string
	}{
		"what is the host's traffic once": {NetworkConfig{}, []string{"lo", "eno1", "eno2"}},
		"all":                             {NetworkConfig{Virtual: true}, []string{"lo", "eno1", "eno2", "docker0", "veth3f2a1b0", "wg0"}},
		"those included":                  {NetworkConfig{Include: InterfaceMatch{Interfaces: []string{"eno2", "lo", "docker0"}}}, []string{"lo", "eno2", "docker0"}},
		"those excluded": {
			NetworkConfig{Virtual: true, Exclude: InterfaceMatch{Interfaces: []string{"lo", "wg0"}}}, []string{"eno1", "eno2", "docker0", "veth3f2a1b0"},
		},
		"those by pattern": {
			NetworkConfig{Virtual: true, Exclude: InterfaceMatch{Interfaces: []string{"^(veth|docker)"}, MatchType: MatchRegexp}},
			[]string{"lo", "eno1", "eno2", "wg0"},
		},
	} {
		md, err := scrapeRoot(t, fixtureRoot("server-6.x"), nil, networkScraperOf(c.cfg))
		require.NoError(t, err)
		assert.Equal(t, c.want, valuesOf(t, md, "system.network.io", "network.interface.name"), name)
	}
}

// TestNetworkOfTheHost pins that a collector in a container reports the interfaces of the host, and says so once when it can't.
func TestNetworkOfTheHost(t *testing.T) {
	md, err := scrapeRoot(t, fixtureRoot("container"), nil, networkScraperOf(NetworkConfig{}))
	require.ErrorIs(t, err, host.ErrUnsupported, "no connection tracking")
	assert.Equal(t, []string{"lo", "ens3", "cni0", "vethc0ffee01"}, valuesOf(t, md, "system.network.io", "network.interface.name"))

	h := changingHostWith(t, map[string]string{
		"proc/net/dev": "\n\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
		"proc/net/tcp": "", "proc/sys/net/netfilter/nf_conntrack_max": "1\n", "proc/sys/net/netfilter/nf_conntrack_count": "1\n",
	})
	core, logs := observer.New(zap.WarnLevel)
	h.settings.logger = zap.New(core)
	for name, create := range map[string]func(ScraperConfig, scraperSettings) (scraper, error){
		"network metrics": networkScraperOf(NetworkConfig{}), "connections": newConnectionsScraper,
	} {
		s, err := create(ScraperConfig{}, h.settings)
		require.NoError(t, err)
		for range 3 {
			assert.Positive(t, h.scrape(t, s).DataPointCount())
		}
		warnings := logs.TakeAll()
		require.Len(t, warnings, 1, name)
		assert.Contains(t, warnings[0].Message, "can't be read below root_path: "+name)
	}
}

func TestInterfaceStarts(t *testing.T) {
	const counters = ": 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
	h := changingHostWith(t, map[string]string{
		"proc/1/net/dev": "\n\neth0" + counters + "veth0" + counters, "sys/class/net/eth0/ifindex": "2\n", "sys/class/net/veth0/ifindex": "3\n",
		"proc/sys/net/netfilter/nf_conntrack_max": "1\n", "proc/1/net/stat/nf_conntrack": "entries\n00000001\n",
	})
	s, err := newNetworkScraper(NetworkConfig{}, h.settings)
	require.NoError(t, err)
	starts := func() map[string]pcommon.Timestamp {
		t.Helper()
		md := h.scrape(t, s)
		assert.Equal(t, map[string]pcommon.Timestamp{"": h.current.boot}, startsOf(t, md, "system.network.conntrack.count"), "not an interface's")
		byName := make(map[string]pcommon.Timestamp)
		for attributes, start := range startsOf(t, md, "system.network.io") {
			byName[attributes[len("{network.interface.name="):len(attributes)-len(",network.io.direction=receive}")]] = start
		}
		return byName
	}
	boot := h.current.boot
	starts()
	assert.Equal(t, boot, starts()["veth0"])
	second := h.current.time

	// The container was started again: another interface of the name.
	h.put(t, "sys/class/net/veth0/ifindex", "7\n")
	assert.Equal(t, second, starts()["veth0"])
	assert.Equal(t, second, starts()["veth0"])
	fourth := h.current.time

	// What one that gets another name had counted belongs to the old one.
	require.NoError(t, os.Rename(filepath.Join(h.root, "sys/class/net/eth0"), filepath.Join(h.root, "sys/class/net/lan0")))
	h.put(t, "proc/1/net/dev", "\n\nlan0"+counters+"veth0"+counters+"dummy0"+counters)
	got := starts()
	assert.Equal(t, fourth, got["lan0"])
	assert.Equal(t, second, got["veth0"])
	assert.Equal(t, fourth, got["dummy0"], "one that appeared, of which no index is known")
}

// networkStory is a host whose interfaces change their names, under a receiver of each temporality.
type networkStory struct {
	root    string
	clock   *steppedClock
	both    []*oneScraper                // of deltas and of totals
	counted map[string]float64           // sum of the deltas, by name
	until   map[string]pcommon.Timestamp // end of the last, by name
}

// link is an interface with the bytes that it has received since it was made.
type link struct {
	name  string
	index string // empty where it can't be read for the moment
	bytes int
}

func newNetworkStory(t *testing.T) *networkStory {
	t.Helper()
	n := &networkStory{
		root: copyServer(t), clock: &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		counted: make(map[string]float64), until: make(map[string]pcommon.Timestamp),
	}
	for _, temporality := range []Temporality{TemporalityDelta, TemporalityCumulative} {
		n.both = append(n.both, newOneScraper(t, n.clock, func(cfg *Config) {
			cfg.RootPath, cfg.Temporality = n.root, temporality
			cfg.Scrapers.Network.GetOrInsertDefault()
		}))
	}
	return n
}

// next scrapes ten seconds later and gives the points of the bytes received, by name: deltas and totals.
func (n *networkStory) next(t *testing.T, links ...link) (deltas, totals map[string]streamPoint) {
	t.Helper()
	require.NoError(t, os.RemoveAll(filepath.Join(n.root, "sys/class/net")))
	text := "\n\n"
	for _, l := range links {
		text += fmt.Sprintf("%s: %d 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n", l.name, l.bytes)
		dir := filepath.Join(n.root, "sys/class/net", l.name)
		require.NoError(t, os.MkdirAll(dir, 0o755))
		if l.index == "" {
			require.NoError(t, os.Symlink("ifindex", filepath.Join(dir, "ifindex")))
			continue
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "ifindex"), []byte(l.index+"\n"), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(n.root, "proc/1/net/dev"), []byte(text), 0o600))
	n.clock.step(10 * time.Second)
	var found [2]map[string]streamPoint
	for i, o := range n.both {
		o.group.host.Begin()
		found[i] = make(map[string]streamPoint)
		for key, p := range o.scrape(t) {
			name, ok := strings.CutPrefix(key, "system.network.io{network.interface.name=")
			name, receive := strings.CutSuffix(name, ",network.io.direction=receive}")
			if ok && receive {
				found[i][name] = p
			}
		}
	}
	for name, p := range found[0] {
		require.GreaterOrEqual(t, p.start, n.until[name], "an overlap of %s", name)
		n.counted[name] += p.value
		n.until[name] = p.time
	}
	return found[0], found[1]
}

// sum is that of all deltas.
func (n *networkStory) sum() (sum float64) {
	for _, v := range n.counted {
		sum += v
	}
	return sum
}

func TestNetworkInterfaceGetsAnotherName(t *testing.T) {
	n := newNetworkStory(t)
	lo := link{"lo", "1", 0}
	n.next(t, lo)
	n.next(t, lo, link{"eth5", "9", 40})
	deltas, totals := n.next(t, lo, link{"eth5", "9", 500_000})
	assert.InDelta(t, 499_960.0, deltas["eth5"].value, 0)
	renamed := totals["eth5"].time

	deltas, totals = n.next(t, lo, link{"lan5", "9", 500_010})
	assert.InDelta(t, 10.0, deltas["lan5"].value, 0)
	assert.InDelta(t, 10.0, totals["lan5"].value, 0)
	assert.Equal(t, renamed, deltas["lan5"].start)
	assert.Equal(t, renamed, totals["lan5"].start)
	_, totals = n.next(t, lo, link{"lan5", "9", 500_030})
	assert.InDelta(t, 30.0, totals["lan5"].value, 0)
	assert.Equal(t, renamed, totals["lan5"].start)
	assert.InDelta(t, 500_030.0, n.sum(), 0)

	// Its old name again, and a reset of its counters from which they come to more than the new name has counted.
	n.next(t, lo, link{"eth5", "9", 500_050})
	deltas, totals = n.next(t, lo, link{"eth5", "9", 70})
	assert.InDelta(t, 70.0, deltas["eth5"].value, 0)
	assert.InDelta(t, 70.0, totals["eth5"].value, 0)
	assert.InDelta(t, 500_120.0, n.sum(), 0)
	n.next(t, lo, link{"lan5", "9", 100})
	assert.InDelta(t, 500_150.0, n.sum(), 0)
}

func TestNetworkInterfacesSwapNames(t *testing.T) {
	n := newNetworkStory(t)
	n.next(t, link{"eth0", "2", 10_000}, link{"eth1", "3", 50_000})
	_, totals := n.next(t, link{"eth0", "2", 10_001}, link{"eth1", "3", 50_002})
	before := totals["eth0"].time
	deltas, totals := n.next(t, link{"eth1", "2", 10_011}, link{"eth0", "3", 50_022})
	for name, want := range map[string]float64{"eth0": 20, "eth1": 10} {
		assert.InDelta(t, want, deltas[name].value, 0, name)
		assert.InDelta(t, want, totals[name].value, 0, name)
		assert.Equal(t, before, totals[name].start, "%s: another one has the name", name)
	}
	// One takes the name of the other, which takes a new one.
	n.next(t, link{"old0", "3", 50_122}, link{"eth0", "2", 10_211})
	n.next(t, link{"old0", "3", 51_122}, link{"eth0", "2", 12_211})
	assert.InDelta(t, 1_122.0+2_211.0, n.sum(), 0)
}

func TestNetworkInterfaceComesBack(t *testing.T) {
	n := newNetworkStory(t)
	lo := link{"lo", "1", 0}
	n.next(t, lo, link{"eth0", "2", 1_000})
	n.next(t, lo, link{"eth0", "2", 1_100})
	n.next(t, lo)
	deltas, _ := n.next(t, lo, link{"eth0", "2", 1_000_000})
	assert.Zero(t, deltas["eth0"].value, "it was in another namespace")
	n.next(t, lo, link{"eth0", "2", 1_000_010})
	assert.InDelta(t, 110.0, n.sum(), 0)

	n.next(t, lo)
	n.next(t, lo, link{"eth0", "2", 500})
	assert.InDelta(t, 610.0, n.sum(), 0, "another one of the index, which has not counted before")
	n.next(t, lo, link{"veth0", "7", 30})
	assert.InDelta(t, 640.0, n.sum(), 0, "a new one, of which all is new")
}

func TestNetworkInterfaceIndexComesLate(t *testing.T) {
	n := newNetworkStory(t)
	deltas, totals := n.next(t, link{"lo", "1", 0}, link{"eth0", "", 10_000})
	assert.Empty(t, deltas)
	assert.NotContains(t, totals, "eth0")
	n.next(t, link{"lo", "1", 0}, link{"eth0", "2", 10_100})
	_, totals = n.next(t, link{"lo", "1", 0}, link{"eth0", "2", 10_300})
	assert.Equal(t, n.both[1].group.boot, totals["eth0"].start)
	assert.InDelta(t, 10_300.0, totals["eth0"].value, 0)
	assert.InDelta(t, 200.0, n.sum(), 0)

	// Of one that was made in view nothing is lost.
	n.next(t, link{"lo", "1", 0}, link{"eth0", "2", 10_300}, link{"veth0", "", 30})
	n.next(t, link{"lo", "1", 0}, link{"eth0", "2", 10_300}, link{"veth0", "7", 50})
	assert.InDelta(t, 250.0, n.sum(), 0)
}

func TestNetworkInterfacesThatAreGone(t *testing.T) {
	starts := stream.NewStarts(1)
	s := newInterfaceStreams(starts)
	scrape := func(at pcommon.Timestamp, interfaces ...host.Interface) {
		starts.Begin(at)
		s.begin()
		for i := range interfaces {
			s.advance(at, &interfaces[i])
		}
		s.end(true)
		starts.End(true)
	}
	lo := host.Interface{Name: "lo", Identity: 1}
	for i := range uint64(2 * maxGoneInterfaces) {
		scrape(pcommon.Timestamp(10+i), lo, host.Interface{Name: "veth", Identity: 10 + i})
		assert.LessOrEqual(t, len(s.byIndex), maxGoneInterfaces+2)
	}
	assert.NotContains(t, s.byIndex, uint64(10))
	assert.Contains(t, s.byIndex, uint64(9+2*maxGoneInterfaces))
	assert.LessOrEqual(t, starts.Tracked(), 1)

	at := pcommon.Timestamp(10_000)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		at++
		starts.Begin(at)
		s.begin()
		one := lo
		s.advance(at, &one)
		s.end(true)
		starts.End(true)
	}))
}
