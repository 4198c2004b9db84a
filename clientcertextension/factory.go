package clientcertextension

import (
	"context"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"

	"github.com/otelcol-psutil/otelcol-psutil/clientcertextension/internal/metadata"
)

// Config is the configuration of the extension: there is nothing to configure. Which authorities count is a matter of the receiver's client_ca_file.
type Config struct{}

// NewFactory returns the factory of the extension.
func NewFactory() extension.Factory {
	return extension.NewFactory(metadata.Type, func() component.Config { return &Config{} },
		func(context.Context, extension.Settings, component.Config) (extension.Extension, error) {
			return &authenticator{}, nil
		},
		metadata.ExtensionStability)
}
