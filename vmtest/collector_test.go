package vmtest

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/kernel"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
	"github.com/otelcol-psutil/otelcol-psutil/vmtest/points"
)

const (
	// stopLimit is how long a Collector may take to stop. It promises 5 seconds on a machine that is none.
	stopLimit = 30 * time.Second
	// snapshots are taken so often, several for each scrape.
	snapshotInterval = 250 * time.Millisecond
)

// collector is the distribution, running in a guest.
type collector struct {
	vm      *machine.Machine
	folder  string // in the guest, in memory, so that it makes no disk I/O
	pid     int
	unshare uintptr
	user    string // that it runs as, root if none
	stopped bool
}

// hostConfig has the subjects of a host at an interval of a second.
const hostConfig = `
receivers:
  psutil:
    collection_interval: 1s
    scrapers: {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {}, pressure: {}, processes: {}, system: {}}
`

// metricsTo adds a pipeline from the receivers to the file metrics.jsonl.
func metricsTo(receivers string) string {
	return `
exporters:
  file: {path: metrics.jsonl, append: true, flush_interval: 100ms}
service:
  telemetry: {metrics: {level: none}, logs: {level: warn, encoding: console}}
  pipelines:
    metrics: {receivers: [` + receivers + `], exporters: [file]}
`
}

// startCollector starts the distribution and waits for its first metrics.
func startCollector(t *testing.T, vm *machine.Machine, config string) *collector {
	t.Helper()
	return startCollectorIn(t, vm, config, 0)
}

// startCollectorAs starts it as a user other than root.
func startCollectorAs(t *testing.T, vm *machine.Machine, config, user string) *collector {
	t.Helper()
	c := newCollector(t, vm, config)
	if c.user = user; user != "" {
		run(t, vm, "chown %s %s", user, c.folder)
	}
	c.start(t)
	return c
}

func startCollectorIn(t *testing.T, vm *machine.Machine, config string, unshare uintptr) *collector {
	t.Helper()
	c := newCollector(t, vm, config)
	c.unshare = unshare
	c.start(t)
	return c
}

func newCollector(t *testing.T, vm *machine.Machine, config string) *collector {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	c := &collector{vm: vm, folder: "/run/" + name}
	require.NoError(t, vm.Write(c.folder+"/config.yaml", config))
	t.Cleanup(func() { c.cleanUp(t) })
	return c
}

func (c *collector) start(t *testing.T) {
	t.Helper()
	before := c.lines(t)
	program := "/otelcol-psutil"
	if c.user != "" {
		program = "start-stop-daemon -S -c " + c.user + " -x " + program + " --"
	}
	pid, err := c.vm.Start(c.folder+"/log", c.unshare, "/bin/sh", "-c", "cd "+c.folder+" && exec "+program+" --config config.yaml")
	require.NoError(t, err)
	c.pid, c.stopped = pid, false
	c.awaitLines(t, before+1)
}

func (c *collector) lines(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(run(t, c.vm, "cat %s/metrics.jsonl 2>/dev/null | wc -l", c.folder))
	require.NoError(t, err)
	return n
}

func (c *collector) awaitLines(t *testing.T, n int) {
	t.Helper()
	out, err := c.vm.Run("sh", "-c", `i=0; until [ "$(wc -l 2>/dev/null <`+c.folder+`/metrics.jsonl)" -ge `+itoa(n)+
		` ]; do i=$((i+1)); [ $i -lt 500 ] && kill -0 `+itoa(c.pid)+` || { cat `+c.folder+`/log; exit 1; }; sleep 0.1; done 2>/dev/null`)
	require.NoError(t, err, out)
}

// batches waits for so many more batches.
func (c *collector) batches(t *testing.T, n int) {
	t.Helper()
	c.awaitLines(t, c.lines(t)+n)
}

// stop ends the Collector in good order.
func (c *collector) stop(t *testing.T) {
	t.Helper()
	require.NoError(t, c.vm.Signal(c.pid, syscall.SIGTERM))
	code, err := c.vm.Wait(c.pid, stopLimit)
	require.NoError(t, err)
	assert.Zero(t, code, "exit code of the Collector")
	c.stopped = true
}

// points reads what has come out so far.
func (c *collector) points(t *testing.T) points.Points {
	t.Helper()
	text, err := c.vm.Fetch(c.folder + "/metrics.jsonl")
	require.NoError(t, err)
	ps, err := points.Parse(text)
	require.NoError(t, err)
	return ps
}

// log is what the Collector said.
func (c *collector) log(t *testing.T) string {
	t.Helper()
	return run(t, c.vm, "cat %s/log", c.folder)
}

// finish stops the Collector, reads what came out, and holds it against the invariants of all streams.
func (c *collector) finish(t *testing.T, allowed points.Allowed) points.Points {
	t.Helper()
	c.stop(t)
	ps := c.points(t)
	require.NotEmpty(t, ps)
	none(t, "what must hold of any stream", points.Check(ps, allowed))
	return ps
}

// cleanUp ends a Collector that a failed test has left, and keeps what a failed test needs.
func (c *collector) cleanUp(t *testing.T) {
	t.Helper()
	if !c.stopped {
		_ = c.vm.Signal(c.pid, syscall.SIGKILL)
	}
	if t.Failed() {
		for _, name := range []string{"log", "metrics.jsonl", "events.jsonl", "alerts.jsonl", "truth.jsonl"} {
			if text, err := c.vm.Fetch(c.folder + "/" + name); err == nil {
				keep(t, c.vm, name, text)
			}
		}
	}
	_, _ = c.vm.Run("rm", "-rf", c.folder)
}

// keep writes a file beside the console log.
func keep(t *testing.T, vm *machine.Machine, name string, text []byte) {
	t.Helper()
	path := filepath.Join(vm.Folder(), strings.ReplaceAll(t.Name(), "/", "-")+"-"+name)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Log(err)
	}
}

// record starts recording what the kernel says.
func (c *collector) record(t *testing.T) {
	t.Helper()
	require.NoError(t, c.vm.Record(c.folder+"/truth.jsonl", snapshotInterval))
}

func (c *collector) recording(t *testing.T) kernel.Recording {
	t.Helper()
	snapshots, err := c.vm.StopRecording(c.folder + "/truth.jsonl")
	require.NoError(t, err)
	return snapshots
}

// maxShown of the problems of one kind; thousands say no more.
const maxShown = 10

// none fails the test for each problem.
func none(t *testing.T, what string, wrong []string) {
	t.Helper()
	for i, w := range wrong {
		if i == maxShown {
			t.Errorf("%s: and %d more", what, len(wrong)-maxShown)
			return
		}
		t.Errorf("%s: %s", what, w)
	}
}
