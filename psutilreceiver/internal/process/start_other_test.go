//go:build !linux

package process

import "time"

// startAt returns the start of a process that began at an offset from the time of a scrape.
func startAt(context ScrapeContext, offset time.Duration) uint64 {
	return uint64(context.Now.Add(offset).UnixMilli())
}
