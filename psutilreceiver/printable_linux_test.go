package psutilreceiver

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

// requirePrintable fails unless a strict backend takes the batch, and no attribute has a control character.
func requirePrintable(t *testing.T, md pmetric.Metrics) {
	t.Helper()
	requireStrict(t, md)
	eachText(md, func(text string) { requirePrintableText(t, text) })
}

func requirePrintableText(t *testing.T, text string) {
	t.Helper()
	require.True(t, utf8.ValidString(text), "%q", text)
	require.Negative(t, strings.IndexFunc(text, unicode.IsControl), "%q", text)
}

// requirePrintableLogs fails if anything that was logged has text that is not printable.
func requirePrintableLogs(t *testing.T, logs *observer.ObservedLogs) {
	t.Helper()
	encoder := zapcore.NewConsoleEncoder(zapcore.EncoderConfig{MessageKey: "message"})
	for _, entry := range logs.All() {
		requirePrintableText(t, entry.Message)
		for _, f := range entry.Context {
			requirePrintableText(t, f.String)
			if err, ok := f.Interface.(error); ok {
				requirePrintableText(t, err.Error())
			}
		}
		line, err := encoder.EncodeEntry(entry.Entry, entry.Context)
		require.NoError(t, err)
		require.True(t, utf8.Valid(line.Bytes()))
	}
}

// eachText calls f with every text of the attributes of a batch.
func eachText(md pmetric.Metrics, f func(string)) {
	ofMap := func(m pcommon.Map) {
		for _, v := range m.All() {
			f(v.AsString())
		}
	}
	for _, rm := range md.ResourceMetrics().All() {
		ofMap(rm.Resource().Attributes())
		for _, sm := range rm.ScopeMetrics().All() {
			for _, m := range sm.Metrics().All() {
				for _, p := range numberPointsOf(m).All() {
					ofMap(p.Attributes())
				}
			}
		}
	}
}

// appendTo appends text to a file of a fixture.
func appendTo(t *testing.T, root, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(root, name), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// replaceIn replaces text that a file of a fixture has.
func replaceIn(t *testing.T, root, name, from, to string) {
	t.Helper()
	path := filepath.Join(root, name)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(text), from, name)
	require.NoError(t, os.WriteFile(path, bytes.ReplaceAll(text, []byte(from), []byte(to)), 0o600))
}

// TestNamesThatAreNotText gives every kind of thing two names that are no text and that differ in one byte only. Both come out as text, and apart.
func TestNamesThatAreNotText(t *testing.T) {
	root := copyServer(t)
	for _, c := range []string{"\xff", "\xfe"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, "srv/d"+c), 0o700))
		appendTo(t, root, "proc/1/mountinfo", fmt.Sprintf("9%d 22 253:9%d / /srv/d%s rw - ext4 /dev/d%s rw\n", c[0], c[0], c, c))
		appendTo(t, root, "proc/1/net/dev", "eth"+c+": 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n")
		appendTo(t, root, "proc/swaps", "/swap"+c+"\tfile\t\t100\t\t50\t\t-4\n")
		appendTo(t, root, "proc/diskstats", fmt.Sprintf(" 8 %d sd%s 1 1 1 1 1 1 1 1 0 1 1\n", c[0], c))
	}
	replaceIn(t, root, "proc/1204/stat", "(postgres)", "(post\xffgres\x1b[31m)")
	replaceIn(t, root, "proc/1204/cmdline", "-D", "-\xff\x1b]0;title\x07\n")
	replaceIn(t, root, "proc/1204/cgroup", "postgresql", "post\xffgresql")
	replaceIn(t, root, "etc/passwd", "root", "r\xffot")
	replaceIn(t, root, "etc/os-release", "PRETTY_NAME=\"", "PRETTY_NAME=\"\xff")
	replaceIn(t, root, "sys/devices/platform/coretemp.0/hwmon/hwmon2/temp1_label", "Package", "Pack\xffage")
	require.NoError(t, os.WriteFile(filepath.Join(root, "etc/hostname"), []byte("h\xffst\n"), 0o600))
	group := filepath.Join(root, "sys/fs/cgroup/system.slice/gr\xff\x1b]0;\nup.service")
	require.NoError(t, os.Mkdir(group, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(group, "memory.current"), []byte("5\n"), 0o600))

	f := startFixtureHost(t, root, everyScraper, func(cfg *Config) {
		cfg.ResourceAttributes.OsDescription.Enabled = true
		cfg.ResourceAttributes.ProcessCommandLine.Enabled = true
		cfg.ResourceAttributes.ProcessLinuxCgroup.Enabled = true
	})
	f.first(t)
	md := f.after(t, 10*time.Second)
	requirePrintable(t, md)
	requirePrintableLogs(t, f.logs)
	found := make(map[string]bool)
	eachText(md, func(text string) { found[text] = true })
	for _, want := range []string{
		"/srv/d\uFFFDFF", "/srv/d\uFFFDFE", "/dev/d\uFFFDFF", "/dev/d\uFFFDFE", "eth\uFFFDFF", "eth\uFFFDFE", "/swap\uFFFDFF", "/swap\uFFFDFE",
		"sd\uFFFDFF", "sd\uFFFDFE", "0::/system.slice/post\uFFFDFFgresql.service", "h\uFFFDFFst",
		"/system.slice/gr\uFFFDFF\uFFFD1B]0;\uFFFD0Aup.service",
		"/usr/bin/postgres -\uFFFDFF\uFFFD1B]0;title\uFFFD07\uFFFD0A /var/lib/pgsql/data",
	} {
		assert.True(t, found[want], "%q", want)
	}
	resources := 0
	for _, rm := range md.ResourceMetrics().All() {
		_, ofProcess := rm.Resource().Attributes().Get("process.pid")
		_, ofGroup := rm.Resource().Attributes().Get("linux.cgroup.path")
		if !ofProcess && !ofGroup {
			resources++
		}
	}
	assert.LessOrEqual(t, resources, 2, "the metrics of the host, and those of the other processes")
}

// TestALiveProcessWhoseNameIsNotText: anybody may start one.
func TestALiveProcessWhoseNameIsNotText(t *testing.T) {
	const name = "\xff\x1b[2Jname"
	path := filepath.Join(t.TempDir(), name)
	sleep, err := exec.LookPath("sleep")
	require.NoError(t, err)
	program, err := os.ReadFile(sleep)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, program, 0o700))
	cmd := exec.Command(path, "600")
	cmd.Args[0] = "\xfe\x1b" // Its command, which it is free to choose.
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	f := startFixtureHost(t, "", func(cfg *Config) {
		everyScraper(cfg)
		cfg.ResourceAttributes.ProcessCommandLine.Enabled = true
		cfg.ResourceAttributes.ProcessExecutablePath.Enabled = true
	})
	for seen := false; !seen; { // A host with very many processes has several batches a scrape.
		md := within(t, f.batches)
		requirePrintable(t, md)
		requirePrintableLogs(t, f.logs)
		for _, rm := range md.ResourceMetrics().All() {
			pid, ofProcess := rm.Resource().Attributes().Get("process.pid")
			if ofProcess && pid.Int() == int64(cmd.Process.Pid) {
				seen = true
				executable, _ := rm.Resource().Attributes().Get("process.executable.name")
				assert.Equal(t, "\uFFFDFF\uFFFD1B[2Jname", executable.Str())
				command, _ := rm.Resource().Attributes().Get("process.command")
				assert.Equal(t, "\uFFFDFE\uFFFD1B", command.Str())
			}
		}
	}
}

func TestWhatIsLoggedIsPrintable(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	logger := printableLogger(zap.New(core)).With(zap.String("with", "a\xffb"))
	logger.Warn("m\xff", zap.Error(fmt.Errorf("reading /mnt/\xff\n: %w", os.ErrNotExist)), zap.ByteString("bytes", []byte("\xfe")),
		zap.Stringer("name", pcommon.NewTimestampFromTime(time.Time{}).AsTime()), zap.Int("n", 3))
	logger.Debug("not wanted")
	require.Equal(t, 1, logs.Len())
	requirePrintableLogs(t, logs)
	entry := logs.All()[0]
	assert.Equal(t, "m\uFFFDFF", entry.Message)
	assert.Equal(t, "a\uFFFDFFb", entry.ContextMap()["with"])
	assert.Equal(t, "reading /mnt/\uFFFDFF\uFFFD0A: file does not exist", entry.ContextMap()["error"])
	assert.Equal(t, int64(3), entry.ContextMap()["n"])
}

func TestPrintableMetricsAllocateNothing(t *testing.T) {
	md := batchOfProcesses(1)
	assert.Zero(t, testing.AllocsPerRun(10, func() { makeAllPrintable(md) }))
}

func batchOfProcesses(n int) pmetric.Metrics {
	md := pmetric.NewMetrics()
	for range n {
		rm := md.ResourceMetrics().AppendEmpty()
		for _, key := range []string{"host.name", "host.id", "os.type", "process.executable.name", "process.command", "process.owner", "process.creation.time"} {
			rm.Resource().Attributes().PutStr(key, "postgres-worker-15")
		}
		metrics := rm.ScopeMetrics().AppendEmpty().Metrics()
		for range 8 {
			points := metrics.AppendEmpty().SetEmptySum().DataPoints()
			points.AppendEmpty().Attributes().PutStr("cpu.mode", "user")
			points.AppendEmpty().Attributes().PutStr("cpu.mode", "system")
		}
	}
	return md
}

func BenchmarkPrintableMetrics(b *testing.B) {
	md := batchOfProcesses(1000)
	b.ReportAllocs()
	for b.Loop() {
		makeAllPrintable(md)
	}
}
