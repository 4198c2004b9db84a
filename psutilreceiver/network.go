package psutilreceiver

import (
	"errors"
	"strconv"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// NetworkConfig configures the network scraper.
type NetworkConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude choose interfaces.
	Include InterfaceMatch `mapstructure:"include"`
	Exclude InterfaceMatch `mapstructure:"exclude"`
}

type networkScraper struct {
	environment
	interfaces *host.Interfaces
	borrowed   bool // it has been said that the figures are not the host's
}

func newNetworkScraper(cfg NetworkConfig, env environment) (scraper, error) {
	var fields host.LinkFields
	for _, need := range []struct {
		enabled bool
		field   host.LinkFields
	}{
		{env.metrics.SystemNetworkInterfaceUp.Enabled, host.LinkUp},
		{env.metrics.SystemNetworkInterfaceSpeed.Enabled, host.LinkSpeed},
		{env.metrics.SystemNetworkInterfaceMtu.Enabled, host.LinkMTU},
		{env.metrics.SystemNetworkInterfaceDuplex.Enabled, host.LinkDuplex},
	} {
		if need.enabled {
			fields |= need.field
		}
	}
	return &networkScraper{environment: env, interfaces: cfg.interfaces(env.host, fields)}, nil
}

// interfaces gives a reader of the interfaces that are shown.
func (cfg *NetworkConfig) interfaces(h *host.Host, fields host.LinkFields) *host.Interfaces {
	chosen := newSelection(cfg.Include.Interfaces, cfg.Include.MatchType, cfg.Exclude.Interfaces, cfg.Exclude.MatchType)
	return host.NewInterfaces(h, fields, chosen.wants)
}

func (s *networkScraper) close() error { return s.interfaces.Close() }

func (s *networkScraper) scrape(t *tick) error {
	interfaces, err := s.interfaces.Read()
	if s.interfaces.Borrowed() && !s.borrowed {
		s.borrowed = true
		s.logger.Warn("The host's network namespace can't be read below root_path: network figures are those of this process's own namespace")
	}
	for i := range interfaces {
		s.record(t, &interfaces[i])
	}
	s.mb.Reset(metadata.WithStartTime(t.boot))
	return errors.Join(err, aside(s.scrapeConntrack(t)))
}

// startOf tells since when the totals of an interface count. They belong to its index: one that gets another name has counted since
// before, while a new one under an old name has not.
func (s *networkScraper) startOf(n *host.Interface) pcommon.Timestamp {
	if n.Identity == 0 {
		return s.starts.Start(n.Name, 0)
	}
	return s.starts.Start("index "+strconv.FormatUint(n.Identity, 10), n.Identity)
}

func (s *networkScraper) record(t *tick, n *host.Interface) {
	mb, ts, name := s.mb, t.time, n.Name
	mb.Reset(metadata.WithStartTime(s.startOf(n)))
	for _, way := range []struct {
		direction metadata.AttributeNetworkIoDirection
		traffic   *host.Traffic
	}{
		{metadata.AttributeNetworkIoDirectionReceive, &n.Received},
		{metadata.AttributeNetworkIoDirectionTransmit, &n.Sent},
	} {
		if way.traffic.Bytes >= 0 {
			mb.RecordSystemNetworkIoDataPoint(ts, way.traffic.Bytes, name, way.direction)
		}
		if way.traffic.Packets >= 0 {
			mb.RecordSystemNetworkPacketCountDataPoint(ts, way.traffic.Packets, name, way.direction)
		}
		if way.traffic.Errors >= 0 {
			mb.RecordSystemNetworkErrorsDataPoint(ts, way.traffic.Errors, name, way.direction)
		}
		if way.traffic.Dropped >= 0 {
			mb.RecordSystemNetworkPacketDroppedDataPoint(ts, way.traffic.Dropped, name, way.direction)
		}
	}
	if n.Up >= 0 {
		mb.RecordSystemNetworkInterfaceUpDataPoint(ts, n.Up, name)
	}
	if n.Speed >= 0 {
		mb.RecordSystemNetworkInterfaceSpeedDataPoint(ts, n.Speed, name)
	}
	if n.MTU >= 0 {
		mb.RecordSystemNetworkInterfaceMtuDataPoint(ts, n.MTU, name)
	}
	if n.Duplex != "" {
		mb.RecordSystemNetworkInterfaceDuplexDataPoint(ts, 1, duplexModes[n.Duplex], name)
	}
}

var duplexModes = map[host.Duplex]metadata.AttributeNetworkInterfaceDuplex{
	host.DuplexFull:    metadata.AttributeNetworkInterfaceDuplexFull,
	host.DuplexHalf:    metadata.AttributeNetworkInterfaceDuplexHalf,
	host.DuplexUnknown: metadata.AttributeNetworkInterfaceDuplexUnknown,
}

func (s *networkScraper) scrapeConntrack(t *tick) error {
	if !s.metrics.SystemNetworkConntrackCount.Enabled && !s.metrics.SystemNetworkConntrackLimit.Enabled {
		return nil
	}
	c, err := s.host.Conntrack()
	if err != nil {
		return err
	}
	if c.Entries >= 0 {
		s.mb.RecordSystemNetworkConntrackCountDataPoint(t.time, c.Entries)
	}
	if c.Limit >= 0 {
		s.mb.RecordSystemNetworkConntrackLimitDataPoint(t.time, c.Limit)
	}
	return nil
}
