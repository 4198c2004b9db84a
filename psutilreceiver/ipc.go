package psutilreceiver

import (
	"errors"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
)

// ipcScraper reports semaphores, message queues and shared memory of System V.
type ipcScraper struct {
	scraperSettings
	latest host.IPC // kept here, so that handing it to the rows allocates nothing
}

func newIPCScraper(_ ScraperConfig, settings scraperSettings) (scraper, error) {
	return &ipcScraper{scraperSettings: settings}, nil
}

// scrape records what could be read beside an error, which is of single files.
func (s *ipcScraper) scrape(t *scrapeContext) error {
	err := s.host.IPC(&s.latest)
	if errors.Is(err, host.ErrUnsupported) {
		return err
	}
	recordRows(ipcRows, s.mb, t.time, &s.latest)
	return err
}

func ipcLevel(value func(*host.IPC) int64, record func(*builder, pcommon.Timestamp, int64)) pointRow[host.IPC] {
	return intRow(value, hostPoint[host.IPC](record))
}

// ipcRows are the points of System V's inter-process communication.
var ipcRows = []pointRow[host.IPC]{
	ipcLevel(func(c *host.IPC) int64 { return c.Semaphores }, (*builder).RecordSystemLinuxIpcSemaphoreCountDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SemaphoreLimit }, (*builder).RecordSystemLinuxIpcSemaphoreLimitDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SemaphoreSets }, (*builder).RecordSystemLinuxIpcSemaphoreSetCountDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SemaphoreSetLimit }, (*builder).RecordSystemLinuxIpcSemaphoreSetLimitDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.MessageQueues }, (*builder).RecordSystemLinuxIpcMessageQueueCountDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.MessageQueueLimit }, (*builder).RecordSystemLinuxIpcMessageQueueLimitDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.Messages }, (*builder).RecordSystemLinuxIpcMessageQueueMessagesDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.MessageBytes }, (*builder).RecordSystemLinuxIpcMessageQueueUsageDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.Segments }, (*builder).RecordSystemLinuxIpcSharedMemorySegmentCountDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SegmentLimit }, (*builder).RecordSystemLinuxIpcSharedMemorySegmentLimitDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SegmentBytes }, (*builder).RecordSystemLinuxIpcSharedMemoryUsageDataPoint),
	ipcLevel(func(c *host.IPC) int64 { return c.SharedMemoryLimit }, (*builder).RecordSystemLinuxIpcSharedMemoryLimitDataPoint),
}
