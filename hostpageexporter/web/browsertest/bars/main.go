// Command bars measures what the page of a real agent costs: CPU and memory of the agent, with and without a viewer, the traffic of one, and how
// fast the page is drawn. It prints a table.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/browser"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/fakehost"
	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/web/browsertest/weight"
)

func main() {
	binary := flag.String("binary", "../../../otelcol-psutil", "the distribution")
	dist := flag.String("dist", "../dist", "directory with the files of the page")
	processes := flag.Int("processes", 200, "idle processes to start beside those of the host")
	length := flag.Duration("length", time.Minute, "how long the CPU is measured, with and without a viewer")
	flag.Parse()
	if err := run(*binary, *dist, *processes, *length); err != nil {
		log.Fatal(err)
	}
}

func run(binary, dist string, processes int, length time.Duration) error {
	fmt.Println("| bar | measured | wanted |\n| --- | --- | --- |")
	raw, packed, err := weight.Of(dist)
	if err != nil {
		return err
	}
	row("page, raw", fmt.Sprintf("%.1f KB", float64(raw)/1e3), "100 KB")
	row("page, compressed", fmt.Sprintf("%.1f KB", float64(packed)/1e3), "45 KB")
	for range processes {
		sleeper := exec.CommandContext(context.Background(), "sleep", "3600")
		if err := sleeper.Start(); err != nil {
			return err
		}
		defer func() {
			_ = sleeper.Process.Kill()
			_ = sleeper.Wait()
		}()
	}
	if err := measureAgent(binary, length); err != nil {
		return err
	}
	return measureDrawing(dist)
}

func row(name, measured, wanted string) { fmt.Printf("| %s | %s | %s |\n", name, measured, wanted) }

// measureAgent runs the built-in configuration.
func measureAgent(binary string, length time.Duration) error {
	free, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		return err
	}
	address := free.Addr().String()
	_ = free.Close()
	agent := exec.CommandContext(context.Background(), binary, "--config", "live:", "--set", "exporters::host_page::endpoint="+address) //nolint:gosec // The caller's own.
	agent.Stderr = io.Discard
	if err := agent.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- agent.Wait() }()
	defer func() { _ = agent.Process.Kill() }()
	url := "http://" + address + "/"
	time.Sleep(20 * time.Second) // Until the start has been paid for.
	without, err := share(agent.Process.Pid, length)
	if err != nil {
		return err
	}
	row("CPU, no viewer", percent(without), "1.5 %")
	tab, err := open(url)
	if err != nil {
		return err
	}
	stream, err := evaluate[string](tab, `window.streams.at(-1)`)
	if err != nil {
		return err
	}
	with, err := share(agent.Process.Pid, length)
	if err != nil {
		return err
	}
	row("CPU, one viewer", percent(with), "2 %")
	rate, err := traffic(stream, 20*time.Second)
	if err != nil {
		return err
	}
	row("a viewer's stream", fmt.Sprintf("%.1f KB/s", rate/1e3), "8 KB/s")
	paint, err := evaluate[float64](tab, `performance.getEntriesByName('first-contentful-paint')[0].startTime`)
	if err != nil {
		return err
	}
	row("first paint", fmt.Sprintf("%.0f ms", paint), "300 ms")
	memory, err := status(agent.Process.Pid, "VmRSS:")
	if err != nil {
		return err
	}
	row("resident memory after "+(2*length+40*time.Second).String(), fmt.Sprintf("%.0f MiB", memory/1024), "110 MiB")
	tab.close()
	return measureStop(agent.Process, ended, stream)
}

// measureStop stops the agent while eight viewers look at it.
func measureStop(agent *os.Process, ended chan error, stream string) error {
	for range 8 {
		res, err := http.Get(stream) //nolint:gosec,noctx // It ends with the agent.
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		go func() { _, _ = io.Copy(io.Discard, res.Body) }()
	}
	began := time.Now()
	if err := agent.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := <-ended; err != nil {
		return err
	}
	row("stop with 8 viewers", fmt.Sprintf("%.0f ms", float64(time.Since(began).Microseconds())/1e3), "1 s")
	return nil
}

// measureDrawing draws made hosts.
func measureDrawing(dist string) error {
	for _, x := range []struct {
		name, span, wanted string
		host               fakehost.Options
	}{
		{"an hour at one second, drawn after its data", "1h", "800 ms", fakehost.Options{CPUs: 4, Disks: 3, Processes: 300}},
		{"256 CPUs and 1,000 disks, drawn after their data", "5m", "2 s", fakehost.Options{CPUs: 256, Disks: 1000, Processes: 300}},
	} {
		x.host.Page = os.DirFS(dist)
		server := httptest.NewServer(fakehost.New(x.host))
		defer server.Close()
		defer server.CloseClientConnections()
		tab, err := open(server.URL + "/#span=" + x.span)
		if err != nil {
			return err
		}
		drawn, err := evaluate[float64](tab, `performance.getEntriesByName('drawn')[0].startTime -
			Math.max(...performance.getEntriesByType('resource').filter(e => e.name.includes('/api/range')).map(e => e.responseEnd))`)
		if err != nil {
			return err
		}
		row(x.name, fmt.Sprintf("%.0f ms", drawn), x.wanted)
		tab.close()
	}
	return nil
}

type tab struct {
	context.Context
	close func()
}

// open opens a page, and waits until it is drawn. window.streams are the addresses of its event streams.
func open(url string) (*tab, error) {
	profile, err := os.MkdirTemp("", "bars")
	if err != nil {
		return nil, err
	}
	ctx, cancel := browser.New(context.Background(), profile, 1440, 900)
	t := &tab{ctx, func() {
		cancel()
		_ = os.RemoveAll(profile)
	}}
	note := page.AddScriptToEvaluateOnNewDocumentParams{Source: `window.streams = [];
		window.EventSource = class extends EventSource { constructor(url) { super(url); streams.push(this.url); } };`}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return t, err
	}
	if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, note); err != nil {
		return t, err
	}
	return t, chromedp.Do(ctx, chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS("[data-ready]")), chromedp.Sleep(2*time.Second))
}

func evaluate[T any](t *tab, expression string) (T, error) {
	return chromedp.Run(t.Context, chromedp.Evaluate[T](expression))
}

// share is how much of a CPU a process takes over a time.
func share(pid int, length time.Duration) (float64, error) {
	before, err := ticks(pid)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	time.Sleep(length)
	after, err := ticks(pid)
	return (after - before) / 100 / time.Since(began).Seconds(), err
}

func percent(share float64) string { return fmt.Sprintf("%.2f %% of a core", 100*share) }

// ticks is the CPU time of a process, in hundredths of a second: utime and stime of proc(5).
func ticks(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	user, err := strconv.ParseFloat(fields[11], 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseFloat(fields[12], 64)
	return user + system, err
}

// status is a number of /proc/PID/status.
func status(pid int, key string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), key)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0, fmt.Errorf("no %s", key)
	}
	return strconv.ParseFloat(fields[0], 64)
}

// traffic is how many bytes a second a stream has.
func traffic(url string, length time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer func() { _ = res.Body.Close() }()
	n, _ := io.Copy(io.Discard, res.Body) // It ends by the time.
	return float64(n) / length.Seconds(), nil
}
