package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// nfsScraper reports what the kernel's NFS client and server did.
type nfsScraper struct {
	scraperSettings
	client host.NFSClient
	server host.NFSServer
}

func newNFSScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &nfsScraper{scraperSettings: settings}, nil
}

func (s *nfsScraper) scrape(t *scrapeContext) error {
	clientErr := s.host.NFSClient(&s.client)
	if !isLost(clientErr) {
		recordRows(nfsClientRows, s.mb, t.time, &s.client)
		for _, c := range s.client.Procedures {
			s.mb.RecordNfsClientProcedureCountDataPoint(t.time, c.Count, int64(c.Version), c.Name)
		}
		for _, c := range s.client.Operations {
			s.mb.RecordNfsClientOperationCountDataPoint(t.time, c.Count, int64(c.Version), c.Name)
		}
	}
	serverErr := s.host.NFSServer(&s.server)
	if !isLost(serverErr) {
		recordRows(nfsServerRows, s.mb, t.time, &s.server)
		for _, c := range s.server.Procedures {
			s.mb.RecordNfsServerProcedureCountDataPoint(t.time, c.Count, int64(c.Version), c.Name)
		}
		for _, c := range s.server.Operations {
			s.mb.RecordNfsServerOperationCountDataPoint(t.time, c.Count, int64(c.Version), c.Name)
		}
	}
	return errors.Join(clientErr, serverErr)
}

const (
	overUDP = metadata.AttributeNetworkTransportUDP
	overTCP = metadata.AttributeNetworkTransportTCP
)

// nfsClientRows are the points of the client, without those by procedure.
var nfsClientRows = []pointRow[host.NFSClient]{
	intRow(func(c *host.NFSClient) int64 { return c.Traffic.UDP }, withValue[host.NFSClient]((*builder).RecordNfsClientNetCountDataPoint, overUDP)).counter(),
	intRow(func(c *host.NFSClient) int64 { return c.Traffic.TCP }, withValue[host.NFSClient]((*builder).RecordNfsClientNetCountDataPoint, overTCP)).counter(),
	intRow(func(c *host.NFSClient) int64 { return c.Traffic.TCPConnections },
		hostPoint[host.NFSClient]((*builder).RecordNfsClientNetTCPConnectionAcceptedDataPoint)).counter(),
	intRow(func(c *host.NFSClient) int64 { return c.Calls }, hostPoint[host.NFSClient]((*builder).RecordNfsClientRPCCountDataPoint)).counter(),
	intRow(func(c *host.NFSClient) int64 { return c.Retransmits }, hostPoint[host.NFSClient]((*builder).RecordNfsClientRPCRetransmitCountDataPoint)).counter(),
	intRow(func(c *host.NFSClient) int64 { return c.AuthRefreshes }, hostPoint[host.NFSClient]((*builder).RecordNfsClientRPCAuthrefreshCountDataPoint)).counter(),
}

// nfsServerRows are the points of the server, without those by procedure.
var nfsServerRows = []pointRow[host.NFSServer]{
	intRow(func(s *host.NFSServer) int64 { return s.CacheHits },
		withValue[host.NFSServer]((*builder).RecordNfsServerRepcacheRequestsDataPoint, metadata.AttributeNfsServerRepcacheStatusHit)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.CacheMisses },
		withValue[host.NFSServer]((*builder).RecordNfsServerRepcacheRequestsDataPoint, metadata.AttributeNfsServerRepcacheStatusMiss)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.CacheUnused },
		withValue[host.NFSServer]((*builder).RecordNfsServerRepcacheRequestsDataPoint, metadata.AttributeNfsServerRepcacheStatusNocache)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.StaleHandles }, hostPoint[host.NFSServer]((*builder).RecordNfsServerFhStaleCountDataPoint)).counter(),
	// The conventions call the calls of clients to read `receive`, and those to write `transmit`.
	intRow(func(s *host.NFSServer) int64 { return s.ReadBytes },
		withValue[host.NFSServer]((*builder).RecordNfsServerIoDataPoint, metadata.AttributeNetworkIoDirectionReceive)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.WrittenBytes },
		withValue[host.NFSServer]((*builder).RecordNfsServerIoDataPoint, metadata.AttributeNetworkIoDirectionTransmit)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.Threads }, hostPoint[host.NFSServer]((*builder).RecordNfsServerThreadCountDataPoint)),
	intRow(func(s *host.NFSServer) int64 { return s.Traffic.UDP }, withValue[host.NFSServer]((*builder).RecordNfsServerNetCountDataPoint, overUDP)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.Traffic.TCP }, withValue[host.NFSServer]((*builder).RecordNfsServerNetCountDataPoint, overTCP)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.Traffic.TCPConnections },
		hostPoint[host.NFSServer]((*builder).RecordNfsServerNetTCPConnectionAcceptedDataPoint)).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.Calls }, nfsServerCalls()).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.BadFormat }, nfsServerCalls(metadata.WithErrorTypeMetricAttribute("format"))).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.BadAuth }, nfsServerCalls(metadata.WithErrorTypeMetricAttribute("auth"))).counter(),
	intRow(func(s *host.NFSServer) int64 { return s.BadClient }, nfsServerCalls(metadata.WithErrorTypeMetricAttribute("client"))).counter(),
}

// withValue adapts the recording of a metric with one attribute, of which it has the value.
func withValue[T, A any](record func(*builder, pcommon.Timestamp, int64, A), value A) func(*builder, pcommon.Timestamp, int64, *T) {
	return func(mb *builder, ts pcommon.Timestamp, v int64, _ *T) { record(mb, ts, v, value) }
}

// nfsServerCalls records calls of RPC: without options those that could be parsed, with one those that were refused for a reason.
func nfsServerCalls(options ...metadata.MetricAttributeOption) func(*builder, pcommon.Timestamp, int64, *host.NFSServer) {
	return func(mb *builder, ts pcommon.Timestamp, v int64, _ *host.NFSServer) {
		mb.RecordNfsServerRPCCountDataPoint(ts, v, options...)
	}
}
