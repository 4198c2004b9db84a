package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// alive bounds the processes that run at a time.
const alive = 100

// churn starts processes that live for a moment.
type churn struct {
	started, skipped atomic.Int64
	running          sync.WaitGroup
}

// run starts so many processes a second until the context ends, and waits for the last of them.
func (c *churn) run(ctx context.Context, rate int) {
	defer c.running.Wait()
	if rate <= 0 {
		return
	}
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	places := make(chan struct{}, alive)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case places <- struct{}{}:
		default:
			c.skipped.Add(1)
			continue
		}
		c.running.Go(func() {
			defer func() { <-places }()
			// From a moment, which most scrapes miss, to a few scrapes.
			life := fmt.Sprintf("%.3f", 0.01+rand.ExpFloat64())
			cmd := exec.CommandContext(ctx, "sleep", life)
			if cmd.Run() == nil {
				c.started.Add(1)
			}
		})
	}
}
