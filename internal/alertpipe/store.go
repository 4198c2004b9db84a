package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
)

// store keeps the engine's state: in a storage extension, or in memory for a successor in this process.
type store struct {
	client storage.Client // Nil without a storage extension.
	image  map[string][]byte
	key    pipeKey
	limit  time.Duration // For one write.
}

// pipeKey tells components of one process apart.
type pipeKey struct {
	kind component.Kind
	id   component.ID
}

// leftState is a state that waits for a successor.
type leftState struct {
	image map[string][]byte
	until time.Time
}

// process is what pipes of this process leave to each other. A reload replaces every component, and nothing else outlives it.
var process = struct {
	sync.Mutex
	left map[pipeKey]leftState
	live map[pipeKey]*Pipe
}{left: map[pipeKey]leftState{}, live: map[pipeKey]*Pipe{}}

// openStore finds the storage and takes up what a predecessor left in this process.
func openStore(ctx context.Context, set Settings, id *component.ID, host component.Host, limit time.Duration) (*store, error) {
	s := &store{key: pipeKey{set.Kind, set.ID}, image: map[string][]byte{}, limit: limit}
	if id != nil {
		var err error
		if s.client, err = openClient(ctx, set, *id, host); err != nil {
			return nil, err
		}
	}
	process.Lock()
	left, ok := process.left[s.key]
	delete(process.left, s.key)
	process.Unlock()
	if !ok || set.Now().After(left.until) {
		return s, nil
	}
	s.image = left.image
	if s.client == nil {
		return s, nil
	}
	if err := s.replace(ctx, left.image); err != nil {
		return nil, errors.Join(fmt.Errorf("moving the alert state to storage %q: %w", id, err), s.client.Close(ctx))
	}
	return s, nil
}

func openClient(ctx context.Context, set Settings, id component.ID, host component.Host) (storage.Client, error) {
	ext, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("storage %q not found among extensions: list it in service::extensions", id)
	}
	opener, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is not a storage extension", id)
	}
	client, err := opener.GetClient(ctx, set.Kind, set.ID, "alert")
	if err != nil {
		return nil, fmt.Errorf("opening storage %q: %w%s", id, err, likelyCause(err))
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

// replace makes the storage hold an image, which is newer than all that is stored: the predecessor that left it had no storage. An alert
// that is stored and not in the image would come back as if it had been firing a moment ago.
func (s *store) replace(ctx context.Context, image map[string][]byte) error {
	stored, err := alert.StoredKeys(s.get)
	if err != nil {
		return err
	}
	var ops []alert.Op
	for _, key := range stored {
		if _, kept := image[key]; !kept {
			ops = append(ops, alert.Op{Key: key})
		}
	}
	for key, value := range image {
		ops = append(ops, alert.Op{Key: key, Value: value})
	}
	return s.write(ctx, ops)
}

func (s *store) get(key string) ([]byte, error) {
	if s.client == nil {
		return s.image[key], nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	return s.client.Get(ctx, key)
}

// write stores changes, all or none of them.
func (s *store) write(ctx context.Context, ops []alert.Op) error {
	if s.client == nil {
		for _, op := range ops {
			if op.Value == nil {
				delete(s.image, op.Key)
			} else {
				s.image[op.Key] = op.Value
			}
		}
		return nil
	}
	batch := make([]*storage.Operation, len(ops))
	for i, op := range ops {
		if op.Value == nil {
			batch[i] = storage.DeleteOperation(op.Key)
		} else {
			batch[i] = storage.SetOperation(op.Key, op.Value)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	return s.client.Batch(ctx, batch...)
}

// close gives the storage back; a state in memory is left for a successor.
func (s *store) close(ctx context.Context, now time.Time) error {
	if s.client != nil {
		return s.client.Close(ctx)
	}
	process.Lock()
	defer process.Unlock()
	maps.DeleteFunc(process.left, func(_ pipeKey, left leftState) bool { return now.After(left.until) })
	process.left[s.key] = leftState{image: s.image, until: now.Add(handOffTTL)}
	return nil
}

// claim notes that a pipe is running. Two at a time with one ID would each decide on alerts of their own.
func claim(p *Pipe) {
	key := pipeKey{p.set.Kind, p.set.ID}
	process.Lock()
	defer process.Unlock()
	if other := process.live[key]; other != nil && other != p {
		p.set.Logger.Error("Another instance with this ID is running in this process: alerts may be announced twice or not at all. " +
			"Restart the Collector")
	}
	process.live[key] = p
}

// release takes back a claim.
func release(p *Pipe) {
	key := pipeKey{p.set.Kind, p.set.ID}
	process.Lock()
	defer process.Unlock()
	if process.live[key] == p {
		delete(process.live, key)
	}
}
