package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// NetstatConfig configures the netstat scraper.
type NetstatConfig struct {
	ScraperConfig `mapstructure:",squash"`

	// PerCPU reports what each CPU did with packets instead of all together.
	PerCPU bool `mapstructure:"per_cpu"`
}

// netstatScraper reports what TCP, UDP and the queues below them did, and the sockets. Of the kernel's files it reads those of which any metric is
// enabled.
type netstatScraper struct {
	scraperSettings
	perCPU  bool
	softnet *host.Softnet
	cpuRows map[int][]pointRow[host.SoftnetCounters] // of each CPU that was online, with per_cpu

	reads struct{ tcp, udp, extra, sockets, softnet bool }

	// Kept here, so that handing them to the rows allocates nothing.
	tcp     host.TCP
	udp     host.UDP
	udp6    host.UDP
	extra   host.TCPExtra
	sockets host.Sockets
	cpu     host.SoftnetCounters
}

func newNetstatScraper(cfg NetstatConfig, settings scraperSettings) (scraper, error) {
	s := &netstatScraper{scraperSettings: settings, perCPU: cfg.PerCPU, softnet: host.NewSoftnet(settings.host), cpuRows: make(map[int][]pointRow[host.SoftnetCounters])}
	d := newDescriber()
	s.reads.tcp = anyEnabled(d, tcpRows, &settings.metrics)
	s.reads.udp = anyEnabled(d, udpRows, &settings.metrics)
	s.reads.extra = anyEnabled(d, tcpExtraRows, &settings.metrics)
	s.reads.sockets = anyEnabled(d, socketRows, &settings.metrics)
	s.reads.softnet = anyEnabled(d, softnetTotalRows, &settings.metrics)
	return s, nil
}

func (s *netstatScraper) scrape(t *scrapeContext) error {
	return errors.Join(s.scrapeProtocols(t), s.scrapeExtra(t), s.scrapeSockets(t), s.scrapeLimits(t), s.scrapeUDPQueues(t), s.scrapeSoftnet(t))
}

func (s *netstatScraper) scrapeProtocols(t *scrapeContext) error {
	if !s.reads.tcp && !s.reads.udp {
		return nil
	}
	err := s.host.SNMP(&s.tcp, &s.udp)
	if isLost(err) {
		return err
	}
	recordRows(tcpRows, s.mb, t.time, &s.tcp)
	if !s.reads.udp {
		return err
	}
	err6 := s.host.UDP6(&s.udp6)
	switch {
	case errors.Is(err6, host.ErrUnsupported): // A kernel without IPv6.
		err6 = nil
	case isLost(err6): // How much of the sum is over IPv6 is not known.
		s.udp = host.OddUDP()
	default:
		s.udp = s.udp.Plus(&s.udp6)
	}
	recordRows(udpRows, s.mb, t.time, &s.udp)
	return errors.Join(err, auxiliary(err6))
}

func (s *netstatScraper) scrapeExtra(t *scrapeContext) error {
	if !s.reads.extra {
		return nil
	}
	err := s.host.TCPExtra(&s.extra)
	if !isLost(err) {
		recordRows(tcpExtraRows, s.mb, t.time, &s.extra)
	}
	return err
}

func (s *netstatScraper) scrapeSockets(t *scrapeContext) error {
	if !s.reads.sockets {
		return nil
	}
	err := s.host.Sockets(&s.sockets)
	if isLost(err) {
		return err
	}
	err6 := s.host.AddSockets6(&s.sockets)
	recordRows(socketRows, s.mb, t.time, &s.sockets)
	return auxiliary(errors.Join(err, err6)) // Levels: no stream is lost.
}

func (s *netstatScraper) scrapeLimits(t *scrapeContext) error {
	var memoryErr, orphanErr error
	var limit int64
	if s.metrics.SystemNetworkTCPMemoryLimit.Enabled {
		if limit, memoryErr = s.host.TCPMemoryLimit(); memoryErr == nil {
			s.mb.RecordSystemNetworkTCPMemoryLimitDataPoint(t.time, limit)
		}
	}
	if s.metrics.SystemNetworkTCPSocketOrphanedLimit.Enabled {
		if limit, orphanErr = s.host.TCPOrphanLimit(); orphanErr == nil {
			s.mb.RecordSystemNetworkTCPSocketOrphanedLimitDataPoint(t.time, limit)
		}
	}
	return auxiliary(errors.Join(memoryErr, orphanErr))
}

func (s *netstatScraper) scrapeUDPQueues(t *scrapeContext) error {
	if !s.metrics.SystemNetworkUDPQueueUsage.Enabled {
		return nil
	}
	queues, err := s.host.UDPQueues()
	if err == nil {
		s.mb.RecordSystemNetworkUDPQueueUsageDataPoint(t.time, queues.Received, networkReceive)
		s.mb.RecordSystemNetworkUDPQueueUsageDataPoint(t.time, queues.Sent, networkTransmit)
	}
	return auxiliary(err)
}

func (s *netstatScraper) scrapeSoftnet(t *scrapeContext) error {
	if !s.reads.softnet {
		return nil
	}
	total, cpus, err := s.softnet.Read()
	if isLost(err) {
		return err
	}
	if !s.perCPU {
		s.cpu = total
		recordRows(softnetTotalRows, s.mb, t.time, &s.cpu)
		return err
	}
	for i := range cpus {
		rows, ok := s.cpuRows[cpus[i].Number]
		if !ok {
			rows = softnetRows(metadata.WithCPULogicalNumberMetricAttribute(int64(cpus[i].Number)))
			s.cpuRows[cpus[i].Number] = rows
		}
		s.cpu = cpus[i].SoftnetCounters
		recordRows(rows, s.mb, t.time, &s.cpu)
	}
	return err
}

// tcpCount is the row of a counter of TCP without attributes.
func tcpCount(value func(*host.TCP) int64, record func(*builder, pcommon.Timestamp, int64)) pointRow[host.TCP] {
	return intRow(value, hostPoint[host.TCP](record)).counter()
}

// tcpRows are the points of the standard's counters of TCP.
var tcpRows = []pointRow[host.TCP]{
	intRow(func(t *host.TCP) int64 { return t.Received }, withValue[host.TCP]((*builder).RecordSystemNetworkTCPSegmentsDataPoint, networkReceive)).counter(),
	intRow(func(t *host.TCP) int64 { return t.Sent }, withValue[host.TCP]((*builder).RecordSystemNetworkTCPSegmentsDataPoint, networkTransmit)).counter(),
	tcpCount(func(t *host.TCP) int64 { return t.Retransmits }, (*builder).RecordSystemNetworkTCPRetransmitsDataPoint),
	tcpCount(func(t *host.TCP) int64 { return t.Errors }, (*builder).RecordSystemNetworkTCPErrorsDataPoint),
	tcpCount(func(t *host.TCP) int64 { return t.ResetsSent }, (*builder).RecordSystemNetworkTCPResetsSentDataPoint),
	tcpCount(func(t *host.TCP) int64 { return t.ConnectionResets }, (*builder).RecordSystemNetworkTCPConnectionResetsDataPoint),
	intRow(func(t *host.TCP) int64 { return t.ActiveOpens },
		withValue[host.TCP]((*builder).RecordSystemNetworkTCPOpensDataPoint, metadata.AttributeSystemNetworkTCPOpenTypeActive)).counter(),
	intRow(func(t *host.TCP) int64 { return t.PassiveOpens },
		withValue[host.TCP]((*builder).RecordSystemNetworkTCPOpensDataPoint, metadata.AttributeSystemNetworkTCPOpenTypePassive)).counter(),
	tcpCount(func(t *host.TCP) int64 { return t.OpenFailures }, (*builder).RecordSystemNetworkTCPOpenFailuresDataPoint),
	intRow(func(t *host.TCP) int64 { return t.Established }, hostPoint[host.TCP]((*builder).RecordSystemNetworkTCPEstablishedDataPoint)),
}

// udpError is the row of datagrams that were lost for a reason.
func udpError(value func(*host.UDP) int64, reason string) pointRow[host.UDP] {
	attribute := metadata.WithErrorTypeMetricAttribute(reason)
	return intRow(value, func(mb *builder, ts pcommon.Timestamp, v int64, _ *host.UDP) {
		mb.RecordSystemNetworkUDPErrorsDataPoint(ts, v, attribute)
	}).counter()
}

// udpRows are the points of the counters of UDP.
var udpRows = []pointRow[host.UDP]{
	intRow(func(u *host.UDP) int64 { return u.Received }, withValue[host.UDP]((*builder).RecordSystemNetworkUDPDatagramsDataPoint, networkReceive)).counter(),
	intRow(func(u *host.UDP) int64 { return u.Sent }, withValue[host.UDP]((*builder).RecordSystemNetworkUDPDatagramsDataPoint, networkTransmit)).counter(),
	udpError(func(u *host.UDP) int64 { return u.ReceiveBuffer }, "receive_buffer"),
	udpError(func(u *host.UDP) int64 { return u.SendBuffer }, "send_buffer"),
	udpError(func(u *host.UDP) int64 { return u.Checksum }, "checksum"),
	udpError(func(u *host.UDP) int64 { return u.Memory }, "memory"),
	udpError(func(u *host.UDP) int64 { return u.NoPort }, "no_port"),
	intRow(func(u *host.UDP) int64 { return u.ReceiveErrors }, hostPoint[host.UDP]((*builder).RecordSystemNetworkUDPReceiveErrorsDataPoint)).counter(),
}

// extraCount is the row of a counter of TCP that only Linux has, without attributes.
func extraCount(value func(*host.TCPExtra) int64, record func(*builder, pcommon.Timestamp, int64)) pointRow[host.TCPExtra] {
	return intRow(value, hostPoint[host.TCPExtra](record)).counter()
}

// extraOf is the row of a counter of TCP that only Linux has, with the value of its attribute.
func extraOf[A any](value func(*host.TCPExtra) int64, record func(*builder, pcommon.Timestamp, int64, A), attribute A) pointRow[host.TCPExtra] {
	return intRow(value, withValue[host.TCPExtra](record, attribute)).counter()
}

// tcpExtraRows are the points of what Linux counts of TCP beyond the standard's counters.
var tcpExtraRows = []pointRow[host.TCPExtra]{
	extraCount(func(t *host.TCPExtra) int64 { return t.Timeouts }, (*builder).RecordSystemNetworkTCPTimeoutsDataPoint),
	extraCount(func(t *host.TCPExtra) int64 { return t.ListenOverflows }, (*builder).RecordSystemNetworkTCPListenOverflowsDataPoint),
	extraCount(func(t *host.TCPExtra) int64 { return t.ListenDrops }, (*builder).RecordSystemNetworkTCPListenDropsDataPoint),
	extraOf(func(t *host.TCPExtra) int64 { return t.QueueFullDrops },
		(*builder).RecordSystemNetworkTCPSynQueueOverflowsDataPoint, metadata.AttributeSystemNetworkTCPSynQueueActionDrop),
	extraOf(func(t *host.TCPExtra) int64 { return t.QueueFullCookies },
		(*builder).RecordSystemNetworkTCPSynQueueOverflowsDataPoint, metadata.AttributeSystemNetworkTCPSynQueueActionCookie),
	extraOf(func(t *host.TCPExtra) int64 { return t.CookiesSent },
		(*builder).RecordSystemNetworkTCPSynCookiesDataPoint, metadata.AttributeSystemNetworkTCPSynCookieEventSent),
	extraOf(func(t *host.TCPExtra) int64 { return t.CookiesReceived },
		(*builder).RecordSystemNetworkTCPSynCookiesDataPoint, metadata.AttributeSystemNetworkTCPSynCookieEventReceived),
	extraOf(func(t *host.TCPExtra) int64 { return t.CookiesFailed },
		(*builder).RecordSystemNetworkTCPSynCookiesDataPoint, metadata.AttributeSystemNetworkTCPSynCookieEventFailed),
	extraCount(func(t *host.TCPExtra) int64 { return t.MemoryPressures }, (*builder).RecordSystemNetworkTCPMemoryPressuresDataPoint),
	extraCount(func(t *host.TCPExtra) int64 { return t.BacklogDrops }, (*builder).RecordSystemNetworkTCPBacklogDropsDataPoint),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortOnData }, metadata.AttributeSystemNetworkTCPAbortReasonData),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortOnClose }, metadata.AttributeSystemNetworkTCPAbortReasonClose),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortOnMemory }, metadata.AttributeSystemNetworkTCPAbortReasonMemory),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortOnTimeout }, metadata.AttributeSystemNetworkTCPAbortReasonTimeout),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortOnLinger }, metadata.AttributeSystemNetworkTCPAbortReasonLinger),
	tcpAborts(func(t *host.TCPExtra) int64 { return t.AbortFailed }, metadata.AttributeSystemNetworkTCPAbortReasonFailed),
	tcpPrunes(func(t *host.TCPExtra) int64 { return t.PruneCalled }, metadata.AttributeSystemNetworkTCPPruneTypeCalled),
	tcpPrunes(func(t *host.TCPExtra) int64 { return t.PruneReceive }, metadata.AttributeSystemNetworkTCPPruneTypeReceive),
	tcpPrunes(func(t *host.TCPExtra) int64 { return t.PruneOutOfOrder }, metadata.AttributeSystemNetworkTCPPruneTypeOutOfOrder),
	extraCount(func(t *host.TCPExtra) int64 { return t.OutOfOrderQueued }, (*builder).RecordSystemNetworkTCPOutOfOrderDataPoint),
}

func tcpAborts(value func(*host.TCPExtra) int64, reason metadata.AttributeSystemNetworkTCPAbortReason) pointRow[host.TCPExtra] {
	return extraOf(value, (*builder).RecordSystemNetworkTCPAbortsDataPoint, reason)
}

func tcpPrunes(value func(*host.TCPExtra) int64, kind metadata.AttributeSystemNetworkTCPPruneType) pointRow[host.TCPExtra] {
	return extraOf(value, (*builder).RecordSystemNetworkTCPPrunesDataPoint, kind)
}

// socketLevel is the row of a level of sockets.
func socketLevel(value func(*host.Sockets) int64, record func(*builder, pcommon.Timestamp, int64)) pointRow[host.Sockets] {
	return intRow(value, hostPoint[host.Sockets](record))
}

// socketRows are the points of the numbers and the memory of sockets.
var socketRows = []pointRow[host.Sockets]{
	socketLevel(func(s *host.Sockets) int64 { return s.Used }, (*builder).RecordSystemNetworkSocketCountDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.TCP }, (*builder).RecordSystemNetworkTCPSocketCountDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.TCPOrphaned }, (*builder).RecordSystemNetworkTCPSocketOrphanedDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.TCPTimeWait }, (*builder).RecordSystemNetworkTCPSocketTimeWaitDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.TCPAllocated }, (*builder).RecordSystemNetworkTCPSocketAllocatedDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.TCPMemory }, (*builder).RecordSystemNetworkTCPMemoryUsageDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.UDP }, (*builder).RecordSystemNetworkUDPSocketCountDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.UDPMemory }, (*builder).RecordSystemNetworkUDPMemoryUsageDataPoint),
	socketLevel(func(s *host.Sockets) int64 { return s.FragmentMemory }, (*builder).RecordSystemNetworkIPFragmentMemoryUsageDataPoint),
}

// softnetTotalRows are the points of what all CPUs did with packets.
var softnetTotalRows = softnetRows()

// softnetRows are the points of what a CPU did with packets, or all without the number of one as an option.
func softnetRows(options ...metadata.MetricAttributeOption) []pointRow[host.SoftnetCounters] {
	row := func(
		value func(*host.SoftnetCounters) int64, record func(*builder, pcommon.Timestamp, int64, ...metadata.MetricAttributeOption),
	) pointRow[host.SoftnetCounters] {
		return intRow(value, func(mb *builder, ts pcommon.Timestamp, v int64, _ *host.SoftnetCounters) {
			record(mb, ts, v, options...)
		}).counter()
	}
	return []pointRow[host.SoftnetCounters]{
		row(func(s *host.SoftnetCounters) int64 { return s.Processed }, (*builder).RecordSystemNetworkSoftnetProcessedDataPoint),
		row(func(s *host.SoftnetCounters) int64 { return s.Dropped }, (*builder).RecordSystemNetworkSoftnetDroppedDataPoint),
		row(func(s *host.SoftnetCounters) int64 { return s.Squeezed }, (*builder).RecordSystemNetworkSoftnetSqueezedDataPoint),
		row(func(s *host.SoftnetCounters) int64 { return s.ReceivedRPS }, (*builder).RecordSystemNetworkSoftnetReceivedRpsDataPoint),
		row(func(s *host.SoftnetCounters) int64 { return s.FlowLimited }, (*builder).RecordSystemNetworkSoftnetFlowLimitedDataPoint),
	}
}
