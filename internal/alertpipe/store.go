package alertpipe

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/statestore"
)

// store keeps the engine's state: in a storage extension, or in memory for a successor in this process.
type store struct {
	client storage.Client // Nil without a storage extension.
	image  map[string][]byte
	owner  statestore.Owner
	limit  time.Duration // For one write.
}

// left is what pipes of this process without a storage leave to their successors: an image of the keys and values.
var left statestore.Handoff[map[string][]byte]

// live are the pipes of this process that run.
var live = struct {
	sync.Mutex
	pipes map[statestore.Owner]*Pipe
}{pipes: map[statestore.Owner]*Pipe{}}

// openStore finds the storage and takes up what a predecessor left in this process.
func openStore(ctx context.Context, set Settings, id *component.ID, host component.Host, limit time.Duration) (*store, error) {
	s := &store{owner: set.owner(), image: map[string][]byte{}, limit: limit}
	if id != nil {
		var err error
		if s.client, err = statestore.OpenStorage(ctx, host, *id, s.owner, "alert"); err != nil {
			return nil, err
		}
	}
	image, ok := left.Take(s.owner, set.Now())
	if !ok {
		return s, nil
	}
	s.image = image
	if s.client == nil {
		return s, nil
	}
	if err := s.replace(ctx, image); err != nil {
		return nil, errors.Join(fmt.Errorf("moving the alert state to storage %q: %w", id, err), s.client.Close(ctx))
	}
	return s, nil
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
	left.Put(s.owner, s.image, now)
	return nil
}

// claim notes that a pipe is running. Two at a time with one ID would each decide on alerts of their own.
func claim(p *Pipe) {
	live.Lock()
	defer live.Unlock()
	if other := live.pipes[p.set.owner()]; other != nil && other != p {
		p.set.Logger.Error("Another instance with this ID is running in this process: alerts may be announced twice or not at all. " +
			"Restart the Collector")
	}
	live.pipes[p.set.owner()] = p
}

// release takes back a claim.
func release(p *Pipe) {
	live.Lock()
	defer live.Unlock()
	if live.pipes[p.set.owner()] == p {
		delete(live.pipes, p.set.owner())
	}
}
