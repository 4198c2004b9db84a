// Package prometheus3 is empty: go.mod beside it has Prometheus as a tool, which `make e2e` builds.
package prometheus3
