package psutilreceiver

import (
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

// hostmetricsInterval is the collection interval of hostmetricsreceiver.
const hostmetricsInterval = time.Minute

// createHostmetricsConfig is the default configuration under the types of hostmetricsreceiver.
func createHostmetricsConfig() component.Config {
	c := createDefaultConfig().(*Config)
	c.CollectionInterval = hostmetricsInterval
	c.Compat = compatHostmetrics
	c.offerHostmetrics()
	return c
}

// offerHostmetrics lets the blocks of the scrapers start from what hostmetricsreceiver shows: every process at the interval of the receiver, without
// a remainder, and with its attributes; partitions beside disks; and every network interface.
func (c *Config) offerHostmetrics() {
	process := defaultProcessConfig()
	process.CollectionInterval = 0
	process.Top.N = 0
	process.Other = false
	offer(&c.Scrapers.Process, process)
	offer(&c.Scrapers.Disk, DiskConfig{Partitions: true})
	offer(&c.Scrapers.Network, NetworkConfig{Virtual: true})
	c.ResourceAttributes.ProcessExecutablePath.Enabled = true
	c.ResourceAttributes.ProcessCommandLine.Enabled = true
}

// offer gives a block its default values, and leaves it as present as it is.
func offer[T any](block *configoptional.Optional[T], values T) {
	present := block.HasValue()
	*block = configoptional.Default(values)
	if present {
		block.GetOrInsertDefault()
	}
}

// addConnections runs the connections scraper beside that of the network, which has its metric in hostmetricsreceiver.
func (c *Config) addConnections(conf *confmap.Conf) {
	network := c.Scrapers.Network.Get()
	if network == nil || conf.IsSet(below("scrapers", "connections")) || !c.Metrics.SystemNetworkConnectionCount.Enabled {
		return
	}
	c.Scrapers.Connections.GetOrInsertDefault().CollectionInterval = network.CollectionInterval
}
