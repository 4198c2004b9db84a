package psutilreceiver

import (
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

type connectionsScraper struct {
	scraperSettings
	connections  *host.Connections
	ownNamespace bool // a warning has said that the counts are not the host's
}

func newConnectionsScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &connectionsScraper{scraperSettings: settings, connections: host.NewConnections(settings.host)}, nil
}

var connectionStates = [...]metadata.AttributeNetworkConnectionState{
	host.ConnectionClosed:      metadata.AttributeNetworkConnectionStateClosed,
	host.ConnectionCloseWait:   metadata.AttributeNetworkConnectionStateCloseWait,
	host.ConnectionClosing:     metadata.AttributeNetworkConnectionStateClosing,
	host.ConnectionEstablished: metadata.AttributeNetworkConnectionStateEstablished,
	host.ConnectionFinWait1:    metadata.AttributeNetworkConnectionStateFinWait1,
	host.ConnectionFinWait2:    metadata.AttributeNetworkConnectionStateFinWait2,
	host.ConnectionLastAck:     metadata.AttributeNetworkConnectionStateLastAck,
	host.ConnectionListen:      metadata.AttributeNetworkConnectionStateListen,
	host.ConnectionSynReceived: metadata.AttributeNetworkConnectionStateSynReceived,
	host.ConnectionSynSent:     metadata.AttributeNetworkConnectionStateSynSent,
	host.ConnectionTimeWait:    metadata.AttributeNetworkConnectionStateTimeWait,
}

func (s *connectionsScraper) scrape(t *scrapeContext) error {
	counts, err := s.connections.Read()
	if s.connections.OwnNamespace() && !s.ownNamespace {
		s.ownNamespace = true
		s.logger.Warn("The host's network namespace can't be read below root_path: connections are those of this process's own namespace")
	}
	if err != nil {
		return err
	}
	for state, n := range counts[host.TransportTCP] {
		s.mb.RecordSystemNetworkConnectionCountDataPoint(t.time, n, connectionStates[state], metadata.AttributeNetworkTransportTCP)
	}
	// A UDP socket has two states only.
	for _, state := range []host.ConnectionState{host.ConnectionClosed, host.ConnectionEstablished} {
		s.mb.RecordSystemNetworkConnectionCountDataPoint(
			t.time, counts[host.TransportUDP][state], connectionStates[state], metadata.AttributeNetworkTransportUDP)
	}
	return nil
}
