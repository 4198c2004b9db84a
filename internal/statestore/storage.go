package statestore

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	client, err := getClient(ctx, opener, owner, name)
	if err != nil {
		return nil, fmt.Errorf("opening storage %q: %w%s", extension, err, likelyCause(err))
	}
	return client, nil
}

// getClient asks the extension for the storage. A file storage may panic where its file is damaged.
func getClient(ctx context.Context, opener storage.Extension, owner Owner, name string) (client storage.Client, err error) {
	defer func() {
		if r := recover(); r != nil {
			client, err = nil, &damagedStorage{owner, fmt.Errorf("%v", r)}
		}
	}()
	client, err = opener.GetClient(ctx, owner.Kind, owner.ID, name)
	if err != nil && !IsDamaged(err) && slices.ContainsFunc(damages, func(text string) bool { return strings.Contains(err.Error(), text) }) {
		err = &damagedStorage{owner, err}
	}
	return client, err
}

// damages are what bbolt says of files that it can't read. The extension of the distribution finds them itself, and names the file.
var damages = []string{"invalid database", "version mismatch", "checksum error", "file size too small"}

// damagedStorage is the error of a storage whose file is damaged.
type damagedStorage struct {
	owner Owner
	err   error
}

func (e *damagedStorage) Error() string {
	return fmt.Sprintf("the file of %s %q in its directory is damaged (%v): move it away", strings.ToLower(e.owner.Kind.String()), e.owner.ID, e.err)
}

func (e *damagedStorage) Unwrap() error { return e.err }
func (e *damagedStorage) Damaged() bool { return true }

// IsDamaged tells whether an error is about a storage whose content can't be used. Others are about the configuration, or pass.
func IsDamaged(err error) bool {
	var of interface{ Damaged() bool }
	return errors.As(err, &of) && of.Damaged()
}

// likelyCause is what to look for when a storage can't be opened. A file storage waits for the lock on its file, and says no more than
// that this took too long.
func likelyCause(err error) string {
	if !strings.HasSuffix(err.Error(), "timeout") {
		return ""
	}
	return " (another process may hold the file; is a Collector with the same storage directory running?)"
}
