package hostile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// allBelowRoot has a host below a root, with everything that is read of one.
const allBelowRoot = `
receivers:
  psutil:
    root_path: %s
    collection_interval: 200ms
    scrapers: {cpu: {}, memory: {}, load: {}, disk: {}, network: {}, connections: {}, filesystem: {}, paging: {}, pressure: {}, sensors: {}, system: {}, processes: {}, process: {command_line: true, collection_interval: 200ms}}
exporters:
  file: {path: out.jsonl, flush_interval: 50ms}
  debug: {verbosity: detailed}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, debug]}
`

// outsideText stands in a file that is not below the root.
const outsideText = "S3cretOfAnotherFile"

// hugeFile is the size of a file without content that is far longer than any that is read, in bytes.
const hugeFile = 2 << 30

// TestFilesBelowTheRoot puts a FIFO, a device, a huge file and a link out of the root in the place of each file of a host in turn.
func TestFilesBelowTheRoot(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, path, outside string){
		"device": func(t *testing.T, path, _ string) {
			t.Helper()
			testenv.Root(t, "makes a device")
			err := unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))) // What /dev/zero is: it never ends.
			if errors.Is(err, unix.EPERM) {
				testenv.Missing(t, "no right to make a device: %v", err)
			}
			require.NoError(t, err)
		},
		"FIFO": func(t *testing.T, path, _ string) { t.Helper(); require.NoError(t, unix.Mkfifo(path, 0o644)) },
		"sparse file": func(t *testing.T, path, _ string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, nil, 0o600))
			require.NoError(t, os.Truncate(path, hugeFile))
		},
		"link": func(t *testing.T, path, outside string) { t.Helper(); require.NoError(t, os.Symlink(outside, path)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			root := harness.CopyHosts(t, dir, "server-6.x")[0]
			outside := filepath.Join(t.TempDir(), "outside")
			require.NoError(t, os.WriteFile(outside, []byte(strings.Repeat(outsideText+" = 1\n", 100)), 0o600))
			replaced := 0
			require.NoError(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() || strings.HasSuffix(path, "/mountinfo") {
					return err
				}
				// Some files of each kind stay, so that there is something to read.
				if rest, _ := filepath.Rel(root, path); rest == "proc/uptime" || rest == "proc/stat" || rest == "proc/1/stat" {
					return nil
				}
				require.NoError(t, os.Remove(path))
				replace(t, path, outside)
				replaced++
				return nil
			}))
			etc := filepath.Join(root, "etc")
			require.NoError(t, os.MkdirAll(etc, 0o755))
			for _, file := range []string{"passwd", "machine-id", "os-release", "hostname"} {
				_ = os.Remove(filepath.Join(etc, file))
				replace(t, filepath.Join(etc, file), outside)
			}
			require.Greater(t, replaced, 20)

			c := harness.Start(t, dir, fmt.Sprintf(allBelowRoot, root))
			const batches = 6
			harness.Eventually(t, "batches", func() error {
				peak, err := c.PeakResident()
				require.NoError(t, err)
				require.Less(t, peak, float64(hugeFile), "no huge file is held, and no device that never ends is read on")
				text, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
				if n := bytes.Count(text, []byte("\n")); err == nil && n < batches {
					err = fmt.Errorf("%d of %d", n, batches)
				}
				return err
			})
			require.NoError(t, c.Stop(t, syscall.SIGTERM))
			text, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
			require.NoError(t, err)
			assert.NotContains(t, string(text), outsideText)
			assert.NotContains(t, c.Output(), outsideText)
		})
	}
}

// markedProcesses has the processes of this host that have the marker of a test in their command lines.
const markedProcesses = `
receivers:
  psutil:
    collection_interval: 200ms
    scrapers: {process: {command_line: true, collection_interval: 200ms, top: {n: 0}, include: {command_lines: ['%s'], match_type: regexp}}}
exporters:
  file: {path: out.jsonl, flush_interval: 50ms}
  debug: {verbosity: detailed}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [file, debug]}
`

// newMarker gives a text that the command lines of one run of a test have, and no others.
func newMarker() string {
	return fmt.Sprintf("hostile-marker-%d-%d-", os.Getpid(), time.Now().UnixNano())
}

// waitsForInput is the environment variable with which the program of these tests is another: one that takes any arguments, and waits for the end of its
// input. A shell would do, but for one that is many programs and goes by its name.
const waitsForInput = "HOSTILE_WAITS_FOR_INPUT"

func TestMain(m *testing.M) {
	if os.Getenv(waitsForInput) != "" {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// waiting starts a process that waits until the test ends, from a file with a name and with arguments, of which the first is its name, too.
func waiting(t *testing.T, path string, args ...string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	if os.Link(self, path) != nil { // They are on different filesystems.
		harness.CopyProgram(t, self, path)
	}
	cmd := exec.Command(path)
	cmd.Args, cmd.Env = args, append(os.Environ(), waitsForInput+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = stdin.Close(); _ = cmd.Wait() })
}

// texts has every string of a batch.
func texts(md pmetric.Metrics) (all []string) {
	add := func(m pcommon.Map) {
		for k, v := range m.All() {
			all = append(all, k, v.AsString())
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		add(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				all = append(all, m.Name(), m.Unit(), m.Description())
				for _, p := range harness.NumberPoints(m).All() {
					add(p.Attributes())
				}
			}
		}
	}
	return all
}

// isPrintable tells whether text is as the product writes any, and so has nothing that a terminal obeys.
func isPrintable(text string) bool {
	obeyed := func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) }
	return utf8.ValidString(text) && !strings.ContainsFunc(text, obeyed) && printable.Text(text) == text
}

// TestNamesOfAnyBytes runs programs whose names and arguments any user can choose.
func TestNamesOfAnyBytes(t *testing.T) {
	dir, marker := t.TempDir(), newMarker()
	names := []string{"a\xff", "a\xfe", "a\x1b[31m", "a\x1b[32m", "a\nb", "a\rb", "a\x7f", "a\xc2\x9b31m", "a\u202eb", "a\u200bb", "a\x00"[:1] + "\a", "a\x01", "a\x02", "a�"}
	for _, name := range names {
		waiting(t, filepath.Join(dir, name), name, marker, name)
	}
	c := harness.Start(t, dir, fmt.Sprintf(markedProcesses, marker))
	found := map[string]bool{}
	harness.Eventually(t, "all processes", func() error {
		batches, err := harness.Batches(filepath.Join(dir, "out.jsonl"))
		if err != nil {
			return err
		}
		for _, md := range batches {
			for _, text := range texts(md) {
				assert.True(t, isPrintable(text), "%q", text)
			}
			for _, rm := range md.ResourceMetrics().All() {
				if v, ok := rm.Resource().Attributes().Get("process.executable.name"); ok {
					found[v.Str()] = true
				}
			}
		}
		if len(found) < len(names) {
			return fmt.Errorf("%d of %d names", len(found), len(names))
		}
		return nil
	})
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	assert.Len(t, found, len(names), "different names stay different")
	for line := range strings.Lines(c.Output()) {
		assert.True(t, isPrintable(strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "\t", "")), "%q", line)
	}
}

// TestSecretsInCommandLines runs programs with secrets in all kinds of places.
func TestSecretsInCommandLines(t *testing.T) {
	dir, marker := t.TempDir(), newMarker()
	const s = "Hunter2Hunter2"
	lines := [][]string{
		{"mysql", "-p" + s},
		{"sshpass", "-p", s, "ssh", "h"},
		{"redis-cli", "-a", s},
		{"curl", "-u", "joe:" + s},
		{"MYSQL_PWD=" + s},
		{"DB_PASS=" + s},
		{"-Dspring.datasource.pass=" + s},
		{"curl", "-H", "Cookie: a=" + s},
		{"https://" + s + "@github.com/x"},
		{"https://h/x?sig=" + s},
		{"password = " + s},
		{"--password", s},
		{`{"password" : "` + s + `"}`},
		{"env", "A_TOKEN=" + s, "prog"},
		{"bash", "-c", "mysql -p" + s + " db"},
		{"ghp_" + s + s},
		{"ldapsearch", "-w", s},
		{"openssl", "rsa", "-passin", "pass:" + s},
		{"smbclient", "-U", "joe%" + s},
		{"xfreerdp", "/p:" + s},
		{"zip", "-P", s},
		{"docker", "login", "-p", s},
		{"snmpget", "-c", s},
		{"htpasswd", "-b", "f", "joe", s},
	}
	for i, line := range lines {
		waiting(t, filepath.Join(dir, fmt.Sprint("program", i)), slices.Concat([]string{"sh", "-c", "read x", fmt.Sprintf("%s%d-", marker, i)}, line)...)
	}
	c := harness.Start(t, dir, fmt.Sprintf(markedProcesses, marker))
	harness.Eventually(t, "all processes", func() error {
		text, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
		for i := range lines {
			if err == nil && !strings.Contains(string(text), fmt.Sprintf("%s%d-", marker, i)) {
				err = fmt.Errorf("process %d is not there", i)
			}
		}
		return err
	})
	require.NoError(t, c.Stop(t, syscall.SIGTERM))
	batches, err := harness.Batches(filepath.Join(dir, "out.jsonl"))
	require.NoError(t, err)
	for _, md := range batches {
		for _, text := range texts(md) {
			assert.NotContains(t, text, s)
		}
	}
	assert.NotContains(t, c.Output(), s)
}
