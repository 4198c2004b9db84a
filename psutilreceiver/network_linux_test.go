package psutilreceiver

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

func networkScraperOf(cfg NetworkConfig) func(ScraperConfig, environment) (scraper, error) {
	return func(_ ScraperConfig, env environment) (scraper, error) { return newNetworkScraper(cfg, env) }
}

func TestNetworkScraper(t *testing.T) {
	cfg := NetworkConfig{Include: InterfaceMatch{Interfaces: []string{"eno1"}}}
	md, err := scrapeRoot(t, fixtureRoot("server-6.x"), func(m *metadata.MetricsConfig) {
		m.SystemNetworkInterfaceMtu.Enabled, m.SystemNetworkInterfaceDuplex.Enabled = true, true
	}, networkScraperOf(cfg))
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{
		"system.network.io{network.interface.name=eno1,network.io.direction=receive}":                902211033412,
		"system.network.io{network.interface.name=eno1,network.io.direction=transmit}":               1402211033004,
		"system.network.packet.count{network.io.direction=receive,system.device=eno1}":               820331204,
		"system.network.packet.count{network.io.direction=transmit,system.device=eno1}":              990112044,
		"system.network.errors{network.interface.name=eno1,network.io.direction=receive}":            3,
		"system.network.errors{network.interface.name=eno1,network.io.direction=transmit}":           0,
		"system.network.packet.dropped{network.interface.name=eno1,network.io.direction=receive}":    1204,
		"system.network.packet.dropped{network.interface.name=eno1,network.io.direction=transmit}":   12,
		"system.network.interface.up{network.interface.name=eno1}":                                   1,
		"system.network.interface.speed{network.interface.name=eno1}":                                1e10,
		"system.network.interface.mtu{network.interface.name=eno1}":                                  9000,
		"system.network.interface.duplex{network.interface.duplex=full,network.interface.name=eno1}": 1,
		"system.network.conntrack.count":                                                             1804,
		"system.network.conntrack.limit":                                                             262144,
	}, pointsOf(t, md))
}

func TestInterfacesThatAreShown(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  NetworkConfig
		want []string
	}{
		"all":              {NetworkConfig{}, []string{"lo", "eno1", "eno2", "docker0", "veth3f2a1b0", "wg0"}},
		"those included":   {NetworkConfig{Include: InterfaceMatch{Interfaces: []string{"eno2", "lo"}}}, []string{"lo", "eno2"}},
		"those excluded":   {NetworkConfig{Exclude: InterfaceMatch{Interfaces: []string{"lo", "wg0"}}}, []string{"eno1", "eno2", "docker0", "veth3f2a1b0"}},
		"those by pattern": {NetworkConfig{Exclude: InterfaceMatch{Interfaces: []string{"^(veth|docker)"}, MatchType: MatchRegexp}}, []string{"lo", "eno1", "eno2", "wg0"}},
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
	h.env.logger = zap.New(core)
	for name, create := range map[string]func(ScraperConfig, environment) (scraper, error){
		"network figures": networkScraperOf(NetworkConfig{}), "connections": newConnectionsScraper,
	} {
		s, err := create(ScraperConfig{}, h.env)
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
	s, err := newNetworkScraper(NetworkConfig{}, h.env)
	require.NoError(t, err)
	starts := func() map[string]pcommon.Timestamp {
		t.Helper()
		md := h.scrape(t, s)
		assert.Equal(t, map[string]pcommon.Timestamp{"": h.tick.boot}, startsOf(t, md, "system.network.conntrack.count"), "not an interface's")
		byName := make(map[string]pcommon.Timestamp)
		for attributes, start := range startsOf(t, md, "system.network.io") {
			byName[attributes[len("{network.interface.name="):len(attributes)-len(",network.io.direction=receive}")]] = start
		}
		return byName
	}
	boot := h.tick.boot
	starts()
	first := h.tick.time
	assert.Equal(t, boot, starts()["veth0"])
	second := h.tick.time

	// The container was started anew: another interface of the name.
	h.put(t, "sys/class/net/veth0/ifindex", "7\n")
	assert.Equal(t, second, starts()["veth0"])
	assert.Equal(t, second, starts()["veth0"])
	fourth := h.tick.time

	// One that gets another name has counted since before, and what it counted is not of the last ten seconds.
	require.NoError(t, os.Rename(filepath.Join(h.root, "sys/class/net/eth0"), filepath.Join(h.root, "sys/class/net/lan0")))
	h.put(t, "proc/1/net/dev", "\n\nlan0"+counters+"veth0"+counters+"dummy0"+counters)
	got := starts()
	assert.Equal(t, boot, got["lan0"])
	assert.Equal(t, fourth, got["dummy0"], "one that appeared, of which no index is known")
	assert.Less(t, first, fourth)
}
