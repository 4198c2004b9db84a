package statestore

import (
	"context"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Owner identifies a component of this process.
type Owner struct {
	Kind component.Kind
	ID   component.ID
}

// OpenStorage opens the part of a storage extension that is the owner's under a name. Errors tell what to change in the configuration,
// or what may hold the storage.
func OpenStorage(ctx context.Context, host component.Host, extension component.ID, owner Owner, name string) (storage.Client, error) {
	ext, ok := host.GetExtensions()[extension]
	if !ok {
		return nil, fmt.Errorf("storage %q not found among extensions: list it in service::extensions", extension)
	}
	opener, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is not a storage extension", extension)
	}
	client, err := opener.GetClient(ctx, owner.Kind, owner.ID, name)
	if err != nil {
		return nil, fmt.Errorf("opening storage %q: %w%s", extension, err, likelyCause(err))
	}
	return client, nil
}

// likelyCause is what to look for when a storage can't be opened. A file storage waits for the lock on its file, and says no more than
// that this took too long.
func likelyCause(err error) string {
	if !strings.HasSuffix(err.Error(), "timeout") {
		return ""
	}
	return " (another process may hold the file; is a Collector with the same storage directory running?)"
}
