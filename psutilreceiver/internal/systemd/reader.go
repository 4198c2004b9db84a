package systemd

import (
	"context"
	"fmt"
	"os"
	"time"
)

// ErrPending is returned when systemd has not answered yet. It is an os.ErrDeadlineExceeded.
var ErrPending = fmt.Errorf("systemd has not answered yet: %w", os.ErrDeadlineExceeded)

// Reader reads in a goroutine of its own, so that a systemd or a bus that does not answer keeps nobody waiting. It is not safe for concurrent use.
type Reader struct {
	client  *Client
	query   Query
	pending chan result // of the reading that goes on; nil if none does
	stop    context.CancelFunc

	deadline time.Duration // of a reading
}

type result struct {
	snapshot *Snapshot
	err      error
}

// NewReader returns a reader of what the query wants.
func NewReader(client *Client, query Query) *Reader {
	return &Reader{client: client, query: query, deadline: Deadline}
}

// Read waits for patience at most. A reading that takes longer goes on until [Deadline], and is the answer to the next call: until then the error is
// [ErrPending].
func (r *Reader) Read(patience time.Duration) (*Snapshot, error) {
	if r.pending == nil {
		r.begin()
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case done := <-r.pending:
		r.pending = nil
		return done.snapshot, done.err
	case <-timer.C:
		return nil, ErrPending
	}
}

func (r *Reader) begin() {
	ctx, cancel := context.WithTimeout(context.Background(), r.deadline)
	done := make(chan result, 1)
	r.pending, r.stop = done, cancel
	go func() {
		defer cancel()
		s, err := r.client.Read(ctx, r.query)
		done <- result{s, err}
	}()
}

// Close ends a reading that goes on, and closes the connection.
func (r *Reader) Close() error {
	if r.pending != nil {
		r.stop()
		<-r.pending
		r.pending = nil
	}
	return r.client.Close()
}
