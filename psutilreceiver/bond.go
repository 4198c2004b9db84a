package psutilreceiver

import (
	"errors"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

const (
	bondMemberUp   = metadata.AttributeSystemNetworkBondInterfaceStateUp
	bondMemberDown = metadata.AttributeSystemNetworkBondInterfaceStateDown
)

// scrapeBonds records the members of bonds, of each bond together: they are listed one bond after the other.
func (s *networkScraper) scrapeBonds(t *scrapeContext) error {
	if !s.metrics.SystemNetworkBondInterfaces.Enabled && !s.metrics.SystemNetworkBondInterfaceUp.Enabled {
		return nil
	}
	members, err := s.bonds.Read()
	for first := 0; first < len(members); {
		end := first
		for end < len(members) && members[end].Bond == members[first].Bond {
			end++
		}
		s.recordBond(t, members[first:end])
		first = end
	}
	if errors.Is(err, host.ErrUnsupported) {
		return nil
	}
	return err
}

func (s *networkScraper) recordBond(t *scrapeContext, members []host.BondMember) {
	var up, down int64
	known := true
	for i := range members {
		m := &members[i]
		switch m.Up {
		case 1:
			up++
		case 0:
			down++
		default:
			known = known && m.Interface == ""
			continue
		}
		s.mb.RecordSystemNetworkBondInterfaceUpDataPoint(t.time, m.Up, m.Bond, m.Interface)
	}
	if !known { // Neither number is right.
		return
	}
	s.mb.RecordSystemNetworkBondInterfacesDataPoint(t.time, up, members[0].Bond, bondMemberUp)
	s.mb.RecordSystemNetworkBondInterfacesDataPoint(t.time, down, members[0].Bond, bondMemberDown)
}
