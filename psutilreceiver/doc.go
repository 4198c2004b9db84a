// Package psutilreceiver emits the metrics of a host as OTLP.
//
// Each subject (CPU, disk, network…) is one scraper in one file. A scraper takes samples from internal/host, or
// internal/process, and records raw totals and levels; internal/stream then turns every counter into a well-formed OTLP stream.
// Scrapers of one interval share a controller, a timestamp and each kernel file that they read; scrapers of different intervals
// run independently. Between the exports, a sampler may read some of the same points more often: see sampling.go.
package psutilreceiver

//go:generate go tool mdatagen metadata.yaml
