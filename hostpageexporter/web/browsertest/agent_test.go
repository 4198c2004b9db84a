package browsertest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// agent starts the Collector of OTELCOL_PSUTIL on its built-in configuration, with more arguments, and returns the address of its page.
func agent(t *testing.T, more ...string) string {
	t.Helper()
	binary := os.Getenv("OTELCOL_PSUTIL")
	if binary == "" {
		t.Skip("OTELCOL_PSUTIL names no binary") //nolint:forbidigo // `make page-test` builds it.
	}
	requireBrowser(t)
	address := freeAddress(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "agent.log"))
	if err != nil {
		t.Fatal(err)
	}
	arguments := append([]string{"--config", "live:", "--set", "exporters::host_page::endpoint=" + address}, more...)
	command := exec.CommandContext(t.Context(), binary, arguments...)
	command.Stdout, command.Stderr = log, log
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
		_ = log.Close()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s", text)
		}
	})
	waitFor(t, "the agent listens", 50*time.Millisecond, func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return "http://" + address + "/"
}

// untilScrapes waits until an agent has kept so many scrapes.
func untilScrapes(t *testing.T, url string, n int) {
	t.Helper()
	waitFor(t, fmt.Sprintf("%d scrapes are kept", n), 200*time.Millisecond, func() bool {
		res, err := http.Get(url + "api/range?series=system.memory.limit&from=-10m&width=4000") //nolint:noctx // It ends with the agent.
		if err != nil {
			return false
		}
		defer func() { _ = res.Body.Close() }()
		var answer struct{ Groups []struct{ Times []int64 } }
		return json.NewDecoder(res.Body).Decode(&answer) == nil && len(answer.Groups) == 1 && len(answer.Groups[0].Times) >= n
	})
}

func TestTheAgentsPage(t *testing.T) {
	url := agent(t)
	b := open(t, url)
	b.until("it is live", `document.querySelector('.state').textContent.startsWith('● live')`)
	untilScrapes(t, url, 14)
	b.noFaults()
	if errors := eval[string](b, text(".state")); !strings.HasPrefix(errors, "● live") {
		t.Errorf("the page says %q", errors)
	}

	// A window of the past, wide enough for buckets: its largest values are those of the samples.
	to := time.Now().Add(-2 * time.Second)
	window := fmt.Sprintf("from=%s&to=%s&at=%s", stamp(to.Add(-2*time.Hour).UnixMilli()), stamp(to.UnixMilli()), stamp(to.UnixMilli()))
	wide := open(t, url+"#"+window)
	got := wide.table("Pressure")[0]
	metric := "system." + strings.Fields(got[0])[0] + ".linux.pressure.total"
	answer := eval[struct {
		Times []int64    `json:"times"`
		Avg   []*float64 `json:"avg"`
	}](wide, fmt.Sprintf(`fetch('/api/range?series=%s&from=%d&width=4000').then(r => r.json()).then(r => ({times: r.groups[0].times, avg: r.groups[0].series[0].avg}))`,
		metric, to.Add(-10*time.Minute).UnixMilli()))
	// The bucket in which the window ends has later samples, too: the largest of any of them may be what is shown.
	largest, shown := 0.0, []string(nil)
	for i, v := range answer.Avg {
		if v != nil {
			largest = max(largest, *v)
		}
		if answer.Times[i] >= to.UnixMilli() {
			shown = append(shown, percent(largest))
		}
	}
	if len(answer.Avg) < 10 {
		t.Fatalf("expected samples, got %v", answer.Avg)
	}
	if !slices.Contains(shown, got[4]) {
		t.Errorf("%s: the largest sample is one of %v, the page shows %s over two hours", got[0], shown, got[4])
	}
	wide.noFaults()
}
