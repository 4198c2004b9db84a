package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// pair is the two Collectors, which run at the same time with one configuration.
type pair struct {
	running [2]*collector.Process // The peer, and ours.
	files   [2]emitted
}

// startBoth starts the two Collectors.
func startBoth(t *testing.T) *pair {
	t.Helper()
	root := repository(t)
	p := &pair{}
	for i, path := range []string{filepath.Join(root, "bench/build/hostmetrics/otelcol-hostmetrics"), binaryUnderTest(root)} {
		p.running[i], p.files[i] = startCollector(t, path)
	}
	return p
}

// repository is the root of the repository.
func repository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// binaryUnderTest is the path of our Collector.
func binaryUnderTest(root string) string {
	if binary := os.Getenv("OTELCOL_PSUTIL"); binary != "" {
		return binary
	}
	return filepath.Join(root, "otelcol-psutil")
}

// startCollector starts a Collector with config.yaml and further arguments, which writes to a file.
func startCollector(t *testing.T, binary string, args ...string) (*collector.Process, emitted) {
	t.Helper()
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("%v: `make compat` builds both Collectors", err)
	}
	config, err := filepath.Abs("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := emitted{path: filepath.Join(dir, "metrics.json"), output: newOutput()}
	cmd := exec.CommandContext(t.Context(), binary, append([]string{"--config", config}, args...)...)
	cmd.Env = append(os.Environ(), "OUTPUT="+file.path)
	running, err := collector.Start(dir, cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(running.Kill)
	return running, file
}

// after waits until so many scrapes of ours can be compared, and gives all that both have emitted so far. Nothing but the deadline of the test bounds
// how long that takes.
func (p *pair) after(t *testing.T, scrapes int) (old, ours *output) {
	t.Helper()
	deadline, limited := t.Deadline()
	for {
		for i, process := range p.running {
			if err := process.Ended(); err != nil {
				t.Fatal(err)
			}
			p.files[i].follow(t)
		}
		old, ours = &p.files[0].output, &p.files[1].output
		compared := 0
		for _, scrape := range ours.scrapes() {
			if _, _, ok := around(old.scrapes(), scrape.time); ok {
				compared++
			}
		}
		if compared >= scrapes {
			return old, ours
		}
		if limited && time.Until(deadline) < 20*time.Second {
			t.Fatalf("there are %d and %d scrapes, and %d to compare, when the test has to end", len(old.scrapes()), len(ours.scrapes()), compared)
		}
		time.Sleep(time.Second)
	}
}

// keepBusy starts processes that use CPU time, write, and sleep, and returns them.
func keepBusy(t *testing.T) (pids []string) {
	t.Helper()
	for _, script := range []string{
		"renice 19 $$ >/dev/null; while :; do :; done",
		"while :; do dd if=/dev/zero of=file bs=64k count=16 conv=fsync 2>/dev/null; sleep 0.2; done",
		"sleep 3600",
	} {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", script)
		cmd.Dir = t.TempDir()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		pids = append(pids, strconv.Itoa(cmd.Process.Pid))
	}
	return pids
}
