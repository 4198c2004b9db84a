// Package liveprovider is the confmap provider `live`: a built-in configuration that shows this host as a live page, with alerts and the
// process table, without a file.
//
//	otelcol-psutil --config live:
//	otelcol-psutil --config live: --config more.yaml --set exporters::host_page::endpoint=localhost:8080
//
// The Collector merges what comes later into what comes before, key by key; lists take each other's place.
package liveprovider

import (
	"context"
	_ "embed" // For the configuration.
	"fmt"

	"go.opentelemetry.io/collector/confmap"
)

const (
	scheme = "live"
	uri    = scheme + ":"
)

//go:embed live.yaml
var configuration []byte

type provider struct{}

// NewFactory returns the factory of the provider.
func NewFactory() confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return provider{} })
}

// Retrieve returns the configuration.
func (provider) Retrieve(_ context.Context, asked string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	if asked != uri {
		return nil, fmt.Errorf("%q: nothing may follow %q; change what it says with --set or a second --config", asked, uri)
	}
	return confmap.NewRetrievedFromYAML(configuration)
}

// Scheme is what the provider is asked for by.
func (provider) Scheme() string { return scheme }

// Shutdown has nothing to do.
func (provider) Shutdown(context.Context) error { return nil }
