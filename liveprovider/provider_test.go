package liveprovider

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/confmaptest"

	"github.com/otelcol-psutil/otelcol-psutil/alertconnector"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver"
)

func TestProvider(t *testing.T) {
	p := NewFactory().Create(confmaptest.NewNopProviderSettings())
	assert.Equal(t, "live", p.Scheme())
	require.NoError(t, confmaptest.ValidateProviderScheme(p))
	r, err := p.Retrieve(t.Context(), "live:", nil)
	require.NoError(t, err)
	conf, err := r.AsConf()
	require.NoError(t, err)
	require.NoError(t, p.Shutdown(t.Context()))

	for key, create := range map[string]func() component.Config{
		"receivers::psutil":    psutilreceiver.NewFactory().CreateDefaultConfig,
		"connectors::alert":    alertconnector.NewFactory().CreateDefaultConfig,
		"exporters::host_page": hostpageexporter.NewFactory().CreateDefaultConfig,
	} {
		sub, err := conf.Sub(key)
		require.NoError(t, err, key)
		cfg := create()
		require.NoError(t, sub.Unmarshal(&cfg), key)
		require.NoError(t, cfg.(interface{ Validate() error }).Validate(), key)
	}
}

func TestNothingFollows(t *testing.T) {
	p := NewFactory().Create(confmap.ProviderSettings{})
	for _, uri := range []string{"live:x", "file:x", ""} {
		_, err := p.Retrieve(t.Context(), uri, nil)
		require.ErrorContains(t, err, "nothing may follow", uri)
	}
}
