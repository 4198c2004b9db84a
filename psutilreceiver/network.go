package psutilreceiver

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
)

// NetworkConfig configures the network scraper.
type NetworkConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// Include and Exclude choose interfaces. One that Include lists is shown, whatever it is. Without Include only those are shown that carry
	// the host's traffic once: their sum is the traffic of the host.
	Include InterfaceMatch `mapstructure:"include"`
	Exclude InterfaceMatch `mapstructure:"exclude"`
	// Virtual shows those whose traffic others carry, too: VLANs, bonds, bridges and their ports, tunnels, links to containers.
	Virtual bool `mapstructure:"virtual"`
}

type networkScraper struct {
	scraperSettings
	interfaces   *host.Interfaces
	bonds        *host.Bonds
	streams      interfaceStreams
	ownNamespace bool // a warning has said that the metrics are not the host's
}

func newNetworkScraper(cfg NetworkConfig, settings scraperSettings) (scraper, error) {
	var fields host.LinkFields
	for _, need := range []struct {
		enabled bool
		field   host.LinkFields
	}{
		{settings.metrics.SystemNetworkInterfaceUp.Enabled, host.LinkUp},
		{settings.metrics.SystemNetworkInterfaceSpeed.Enabled, host.LinkSpeed},
		{settings.metrics.SystemNetworkInterfaceMtu.Enabled, host.LinkMTU},
		{settings.metrics.SystemNetworkInterfaceDuplex.Enabled, host.LinkDuplex},
		{settings.metrics.SystemNetworkInterfaceCarrierChanges.Enabled, host.LinkCarrierChanges},
		{settings.metrics.SystemNetworkInterfaceQueueLength.Enabled, host.LinkQueueLength},
	} {
		if need.enabled {
			fields |= need.field
		}
	}
	return &networkScraper{scraperSettings: settings, interfaces: cfg.interfaces(settings.host, fields), bonds: host.NewBonds(settings.host), streams: newInterfaceStreams(settings.starts)}, nil
}

// interfaces gives a reader of the interfaces that are shown.
func (cfg *NetworkConfig) interfaces(h *host.Host, fields host.LinkFields) *host.Interfaces {
	chosen := newSelection(cfg.Include.Interfaces, cfg.Include.MatchType, cfg.Exclude.Interfaces, cfg.Exclude.MatchType)
	interfaces := host.NewInterfaces(h, fields, chosen.matches)
	if !cfg.Virtual {
		interfaces.HideCarried(chosen.included)
	}
	return interfaces
}

func (s *networkScraper) close() error { return s.interfaces.Close() }

func (s *networkScraper) scrape(t *scrapeContext) error {
	interfaces, err := s.interfaces.Read()
	if s.interfaces.OwnNamespace() && !s.ownNamespace {
		s.ownNamespace = true
		s.logger.Warn("The host's network namespace can't be read below root_path: network metrics are those of this process's own namespace")
	}
	s.streams.begin()
	for i := range interfaces {
		s.record(t, &interfaces[i])
	}
	s.streams.end(err == nil)
	s.mb.Reset(metadata.WithStartTime(t.boot))
	return errors.Join(err, auxiliary(s.scrapeConntrack(t)), auxiliary(s.scrapeBonds(t)))
}

// record records an interface, and changes its counters to what they have counted since the start.
func (s *networkScraper) record(t *scrapeContext, n *host.Interface) {
	s.mb.Reset(metadata.WithStartTime(s.streams.advance(t.time, n)))
	recordRows(networkRows, s.mb, t.time, n)
	if n.Duplex != "" {
		s.mb.RecordSystemNetworkInterfaceDuplexDataPoint(t.time, 1, duplexModes[n.Duplex], n.Name)
	}
}

const (
	networkReceive  = metadata.AttributeNetworkIoDirectionReceive
	networkTransmit = metadata.AttributeNetworkIoDirectionTransmit
)

// networkRows are the points of an interface, but for its duplex mode, which is an attribute.
var networkRows = []pointRow[host.Interface]{
	intRow(func(n *host.Interface) int64 { return n.Received.Bytes }, networkIO((*builder).RecordSystemNetworkIoDataPoint, networkReceive)).counter().sampled(samplingByDefault),
	intRow(func(n *host.Interface) int64 { return n.Sent.Bytes }, networkIO((*builder).RecordSystemNetworkIoDataPoint, networkTransmit)).counter().sampled(samplingByDefault),
	intRow(func(n *host.Interface) int64 { return n.Received.Packets }, networkIO((*builder).RecordSystemNetworkPacketCountDataPoint, networkReceive)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Sent.Packets }, networkIO((*builder).RecordSystemNetworkPacketCountDataPoint, networkTransmit)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Received.Dropped }, networkIO((*builder).RecordSystemNetworkPacketDroppedDataPoint, networkReceive)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Sent.Dropped }, networkIO((*builder).RecordSystemNetworkPacketDroppedDataPoint, networkTransmit)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Received.Errors }, networkIO((*builder).RecordSystemNetworkErrorsDataPoint, networkReceive)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Sent.Errors }, networkIO((*builder).RecordSystemNetworkErrorsDataPoint, networkTransmit)).counter().sampled(samplingByName),
	intRow(func(n *host.Interface) int64 { return n.Counters.ReceivedFifo }, networkIO((*builder).RecordSystemNetworkInterfaceFifoErrorsDataPoint, networkReceive)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.SentFifo }, networkIO((*builder).RecordSystemNetworkInterfaceFifoErrorsDataPoint, networkTransmit)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.ReceivedCompressed }, networkIO((*builder).RecordSystemNetworkInterfaceCompressedDataPoint, networkReceive)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.SentCompressed }, networkIO((*builder).RecordSystemNetworkInterfaceCompressedDataPoint, networkTransmit)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.Frame }, ofInterface((*builder).RecordSystemNetworkInterfaceFrameErrorsDataPoint)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.CarrierErrors }, ofInterface((*builder).RecordSystemNetworkInterfaceCarrierErrorsDataPoint)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.Collisions }, ofInterface((*builder).RecordSystemNetworkInterfaceCollisionsDataPoint)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.Multicast }, ofInterface((*builder).RecordSystemNetworkInterfaceMulticastDataPoint)).counter(),
	intRow(func(n *host.Interface) int64 { return n.Counters.CarrierChanges }, ofInterface((*builder).RecordSystemNetworkInterfaceCarrierChangesDataPoint)).counter(),
	intRow(func(n *host.Interface) int64 { return n.QueueLength }, ofInterface((*builder).RecordSystemNetworkInterfaceQueueLengthDataPoint)),
	intRow(func(n *host.Interface) int64 { return n.Up }, ofInterface((*builder).RecordSystemNetworkInterfaceUpDataPoint)),
	intRow(func(n *host.Interface) int64 { return n.Speed }, ofInterface((*builder).RecordSystemNetworkInterfaceSpeedDataPoint)),
	intRow(func(n *host.Interface) int64 { return n.MTU }, ofInterface((*builder).RecordSystemNetworkInterfaceMtuDataPoint)),
}

// ofInterface adapts the recording of a metric with the interface as its attribute.
func ofInterface(record func(*builder, pcommon.Timestamp, int64, string)) func(*builder, pcommon.Timestamp, int64, *host.Interface) {
	return func(mb *builder, ts pcommon.Timestamp, v int64, n *host.Interface) { record(mb, ts, v, n.Name) }
}

// networkIO adapts the recording of a metric with the interface and a direction as its attributes.
func networkIO(
	record func(*builder, pcommon.Timestamp, int64, string, metadata.AttributeNetworkIoDirection), direction metadata.AttributeNetworkIoDirection,
) func(*builder, pcommon.Timestamp, int64, *host.Interface) {
	return func(mb *builder, ts pcommon.Timestamp, v int64, n *host.Interface) {
		record(mb, ts, v, n.Name, direction)
	}
}

// networkSampling samples the interfaces that the scraper shows.
var networkSampling = samplingKind{
	metrics: func(d describer) []sampledMetric { return sampledMetricsOf(d, networkRows) },
	sources: func(cfg *ScrapersConfig, set sourceSettings) []source {
		interfaces := cfg.Network.Get().interfaces(set.host, 0)
		return []source{newDevices(&devices[host.Interface]{
			read:    func(time.Time) ([]host.Interface, error) { return interfaces.Read() },
			name:    func(n *host.Interface) (string, uint64) { return n.Name, n.Identity },
			closing: interfaces.Close,
		}, networkRows, set.recorder)}
	},
}

var duplexModes = map[host.Duplex]metadata.AttributeNetworkInterfaceDuplex{
	host.DuplexFull:    metadata.AttributeNetworkInterfaceDuplexFull,
	host.DuplexHalf:    metadata.AttributeNetworkInterfaceDuplexHalf,
	host.DuplexUnknown: metadata.AttributeNetworkInterfaceDuplexUnknown,
}

func (s *networkScraper) scrapeConntrack(t *scrapeContext) error {
	if !s.metrics.SystemNetworkConntrackCount.Enabled && !s.metrics.SystemNetworkConntrackLimit.Enabled {
		return nil
	}
	c, err := s.host.Conntrack()
	if c.Entries >= 0 {
		s.mb.RecordSystemNetworkConntrackCountDataPoint(t.time, c.Entries)
	}
	if c.Limit >= 0 {
		s.mb.RecordSystemNetworkConntrackLimitDataPoint(t.time, c.Limit)
	}
	return err
}

// maxGoneInterfaces bounds the interfaces that are gone and remembered, because they may come back.
const maxGoneInterfaces = 256

// interfaceStreams makes streams, which belong to a name, of counters, which belong to an interface index and stay with it when the interface is
// renamed, or moves to another network namespace.
type interfaceStreams struct {
	starts   *stream.Starts
	byIndex  map[uint64]*interfaceStream
	scrape   uint64 // number of this one
	complete uint64 // number of the last that left nothing out
	gone     []uint64
}

// interfaceStream is what one interface has counted.
type interfaceStream struct {
	name   string
	start  pcommon.Timestamp // of the streams of this name
	seen   pcommon.Timestamp // last scrape with it
	scrape uint64            // its number
	raw    interfaceCounters // what the kernel gave then
	base   interfaceCounters // what of it belongs to the time before the start
}

type interfaceCounters [17]int64

func newInterfaceStreams(starts *stream.Starts) interfaceStreams {
	return interfaceStreams{starts: starts, byIndex: make(map[uint64]*interfaceStream)}
}

func (s *interfaceStreams) begin() { s.scrape++ }

// end closes a scrape. Of the interfaces that a complete one left out, those that went last are remembered.
func (s *interfaceStreams) end(complete bool) {
	if !complete {
		return
	}
	s.complete = s.scrape
	s.gone = s.gone[:0]
	for index, i := range s.byIndex {
		if i.scrape != s.scrape {
			s.gone = append(s.gone, index)
		}
	}
	excess := len(s.gone) - maxGoneInterfaces
	if excess <= 0 {
		return
	}
	slices.SortFunc(s.gone, func(a, b uint64) int { return cmp.Compare(s.byIndex[a].scrape, s.byIndex[b].scrape) })
	for _, index := range s.gone[:excess] {
		delete(s.byIndex, index)
	}
}

// advance takes the counters of an interface, changes them to what its streams have counted since their start, and returns this start.
func (s *interfaceStreams) advance(now pcommon.Timestamp, n *host.Interface) pcommon.Timestamp {
	if n.Identity == 0 {
		return s.starts.Start(n.Name, 0)
	}
	raw := countersOf(n)
	i, ok := s.byIndex[n.Identity]
	switch {
	case !ok:
		i = &interfaceStream{start: s.startOfNew(n)}
		s.byIndex[n.Identity] = i
	case i.scrape < s.complete:
		// It is back. What it counted meanwhile was in another network namespace, or under a name that is not shown. If it has counted less
		// than before, it is another interface with the same index.
		i.start, i.base = s.startOfNew(n), interfaceCounters{}
		if !raw.fellBelow(&i.raw) {
			i.base = raw
		}
	case i.name != n.Name || raw.fellBelow(&i.raw) && i.base != interfaceCounters{}:
		// What it counted before remains with the old name. A counter that was reset has no base to subtract; then it falls, which the stage
		// detects.
		i.start, i.base = i.seen, i.raw
		for c := range raw {
			if raw[c] >= 0 && raw[c] < i.raw[c] {
				i.base[c] = 0
			}
		}
	}
	for c, v := range raw {
		if v >= 0 || !ok {
			i.raw[c] = v // One that could not be read leaves the last that could.
		}
	}
	i.name, i.seen, i.scrape = n.Name, now, s.scrape
	raw.minus(&i.base).put(n)
	return i.start
}

func (s *interfaceStreams) startOfNew(n *host.Interface) pcommon.Timestamp {
	return s.starts.Start("index "+strconv.FormatUint(n.Identity, 10), n.Identity)
}

func countersOf(n *host.Interface) interfaceCounters {
	in, out, more := &n.Received, &n.Sent, &n.Counters
	return interfaceCounters{
		in.Bytes, in.Packets, in.Errors, in.Dropped, out.Bytes, out.Packets, out.Errors, out.Dropped,
		more.ReceivedFifo, more.SentFifo, more.Frame, more.CarrierErrors, more.Collisions, more.Multicast, more.ReceivedCompressed,
		more.SentCompressed, more.CarrierChanges,
	}
}

func (c interfaceCounters) put(n *host.Interface) {
	n.Received = host.Traffic{Bytes: c[0], Packets: c[1], Errors: c[2], Dropped: c[3]}
	n.Sent = host.Traffic{Bytes: c[4], Packets: c[5], Errors: c[6], Dropped: c[7]}
	n.Counters = host.LinkCounters{
		ReceivedFifo: c[8], SentFifo: c[9], Frame: c[10], CarrierErrors: c[11], Collisions: c[12], Multicast: c[13], ReceivedCompressed: c[14],
		SentCompressed: c[15], CarrierChanges: c[16],
	}
}

func (c *interfaceCounters) fellBelow(before *interfaceCounters) bool {
	for i, v := range c {
		if v >= 0 && v < before[i] {
			return true
		}
	}
	return false
}

// minus subtracts a base from the counters that are known.
func (c interfaceCounters) minus(base *interfaceCounters) interfaceCounters {
	for i, v := range c {
		if v >= 0 {
			c[i] = v - max(base[i], 0)
		}
	}
	return c
}
