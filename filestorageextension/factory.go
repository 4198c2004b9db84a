package filestorageextension

import (
	"context"
	"fmt"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// NewFactory returns the factory of the extension. Type and configuration are those of the extension that it guards.
func NewFactory() extension.Factory {
	inner := filestorage.NewFactory()
	return extension.NewFactory(inner.Type(), inner.CreateDefaultConfig,
		func(ctx context.Context, set extension.Settings, cfg component.Config) (extension.Extension, error) {
			return create(ctx, inner, set, cfg)
		}, inner.Stability())
}

func create(ctx context.Context, inner extension.Factory, set extension.Settings, cfg component.Config) (extension.Extension, error) {
	of, err := inner.Create(ctx, set, cfg)
	if err != nil {
		return nil, err
	}
	files, ok := of.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("%T is no storage extension", of)
	}
	return &guard{Extension: files, id: set.ID, cfg: cfg.(*filestorage.Config), logger: set.Logger, now: time.Now, clients: map[*guardedClient]struct{}{}}, nil
}
