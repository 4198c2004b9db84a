// Package hostpageexporter is the exporter host_page: it keeps a bounded history of what its pipelines bring, and serves it as a live page.
//
// One ID in a metrics and a logs pipeline is one page with one history (package history). A push is taken at once and never fails: what can't be kept
// is counted. The HTTP side (server.go) checks each request before it is routed (guard.go), and answers from copies, so no viewer holds up
// a push.
package hostpageexporter

//go:generate go tool mdatagen metadata.yaml
