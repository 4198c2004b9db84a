package vmtest

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

// testRestart reloads the Collector, stops and starts it, and kills it: cumulative streams go on, from the same start.
func testRestart(t *testing.T, vm *machine.Machine) {
	t.Helper()
	processes := strings.Replace(hostConfig, "scrapers: {", "scrapers: {process: {collection_interval: 1s, top: {n: 0}}, ", 1)
	c := startCollector(t, vm, processes+metricsTo("psutil"))
	for range 2 {
		c.batches(t, 2)
		require.NoError(t, c.vm.Signal(c.pid, syscall.SIGHUP))
		c.batches(t, 2)
	}
	for range 2 {
		c.stop(t)
		c.start(t)
		c.batches(t, 1)
	}
	require.NoError(t, vm.Signal(c.pid, syscall.SIGKILL))
	_, err := vm.Wait(c.pid, stopLimit)
	require.NoError(t, err)
	c.start(t)
	c.batches(t, 1)
	c.stop(t)
	ps := c.points(t)

	starts := make(map[int64]int)
	boot := ps.Of("system.cpu.context_switches")
	for _, p := range boot {
		starts[p.Start%1e9/1e6]++
	}
	var moved []string
	for i := 1; i < len(boot); i++ {
		if boot[i].Start != boot[0].Start {
			moved = append(moved, fmt.Sprintf("the start moves by %d ms: starts in ms and how often: %v", (boot[i].Start-boot[0].Start)/1e6, starts))
			break
		}
	}
	noFault(t, "restart: the start of cumulative streams", moved)
	// Under one start, so that what is left to find is not what was found already.
	for _, p := range ps {
		if p.Kind == points.Total && (p.Start-boot[0].Start)/1e9 == 0 {
			p.Start = boot[0].Start
		}
	}
	none(t, "what must hold of any stream", points.Check(ps, points.Allowed{}))
}
