package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/boundedfile"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// resolve reads a Collector configuration as the Collector does, with ${env:NAME}, ${NAME:-default}, ${file:PATH} and ${yaml:TEXT}
// filled in.
func resolve(file string) (*confmap.Conf, error) {
	resolver, err := confmap.NewResolver(confmap.ResolverSettings{
		URIs: []string{"file:" + file}, DefaultScheme: "env",
		ProviderFactories: []confmap.ProviderFactory{
			newProvider("file", readFile), newProvider("env", readEnv),
			newProvider("yaml", func(text string) ([]byte, error) { return []byte(text), nil }),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("resolving: %w", err)
	}
	conf, err := resolver.Resolve(context.Background())
	if err != nil {
		return nil, fmt.Errorf("resolving: %w", err)
	}
	return conf, resolver.Shutdown(context.Background())
}

func readFile(path string) ([]byte, error) { return boundedfile.Read(path, maxFile) }

// readEnv reads a variable. One that is not set is the default behind ":-", or else nothing, as with the Collector.
func readEnv(text string) ([]byte, error) {
	name, fallback, hasFallback := strings.Cut(text, ":-")
	value, set := os.LookupEnv(name)
	switch {
	case set:
		return []byte(value), nil
	case hasFallback && fallback == "":
		return []byte(`""`), nil
	default:
		return []byte(fallback), nil
	}
}

// provider gives the YAML that a reference stands for.
type provider struct {
	scheme string
	read   func(opaque string) ([]byte, error)
}

func newProvider(scheme string, read func(string) ([]byte, error)) confmap.ProviderFactory {
	return confmap.NewProviderFactory(func(confmap.ProviderSettings) confmap.Provider { return &provider{scheme, read} })
}

// Retrieve reads what a URI stands for.
func (p *provider) Retrieve(_ context.Context, uri string, _ confmap.WatcherFunc) (*confmap.Retrieved, error) {
	text, err := p.read(strings.TrimPrefix(uri, p.scheme+":"))
	if err != nil {
		return nil, err
	}
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	if err != nil {
		return nil, err
	}
	raw, err := retrieved.AsRaw()
	if err != nil {
		return nil, err
	}
	return retrieved, confkeys.CheckDepth(raw)
}

// Scheme is what stands before the colon of the URIs.
func (p *provider) Scheme() string { return p.scheme }

// Shutdown has nothing to do.
func (*provider) Shutdown(context.Context) error { return nil }
