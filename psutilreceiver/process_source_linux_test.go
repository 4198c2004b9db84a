package psutilreceiver

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadatatest"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
)

// fakeBPF is the reader of a host that has all, until a field says otherwise.
type fakeBPF struct{ *read.Reader }

// TestWhichReaderRuns: what is configured and what the host allows decide; one line says which reader it is, and why it is not the other.
func TestWhichReaderRuns(t *testing.T) {
	missing, refused := errors.New("this process lacks CAP_BPF"), errors.New("bpf: operation not permitted")
	const (
		byBPF  = "Processes are read by BPF"
		byProc = "Processes are read from /proc; BPF, which costs less and sees each process to its end, can't be used"
	)
	for name, c := range map[string]struct {
		reader          ProcessReader
		supported, open error
		absent          bool // on this system
		bpf             bool
		line, missing   string // logged
		err             string
	}{
		"auto where all is there":    {reader: ProcessReaderAuto, bpf: true, line: byBPF},
		"auto where something lacks": {reader: ProcessReaderAuto, supported: missing, line: byProc, missing: "this process lacks CAP_BPF"},
		"auto where loading fails": {
			reader: ProcessReaderAuto, open: refused, line: byProc, missing: "the kernel refuses the programs: bpf: operation not permitted",
		},
		"auto on another system":    {reader: ProcessReaderAuto, supported: errors.New("it takes Linux"), absent: true},
		"proc where all is there":   {reader: ProcessReaderProc},
		"proc where something lacks": {reader: ProcessReaderProc, supported: missing},
		"bpf where all is there":    {reader: ProcessReaderBPF, bpf: true, line: byBPF},
		"bpf where something lacks": {
			reader: ProcessReaderBPF, supported: missing,
			err: "scrapers::process::reader is bpf, and processes can't be read so: this process lacks CAP_BPF; give what is missing, or set it to auto",
		},
		"bpf where loading fails": {reader: ProcessReaderBPF, open: refused, err: "the kernel refuses the programs: bpf: operation not permitted"},
		"bpf on another system":   {reader: ProcessReaderBPF, supported: errors.New("it takes Linux"), absent: true, err: "it takes Linux"},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			tel := componenttest.NewTelemetry()
			defer func() { require.NoError(t, tel.Shutdown(context.Background())) }()
			builder, err := metadata.NewTelemetryBuilder(tel.NewTelemetrySettings())
			require.NoError(t, err)
			h, err := host.New(fixtureRoot("server-6.x"))
			require.NoError(t, err)
			settings := &scraperSettings{host: h, logger: zap.New(core), telemetry: builder}
			var wrapped *read.Reader
			b := bpfReader{
				exists:    !c.absent,
				supported: func(string) error { return c.supported },
				open: func(proc *read.Reader) (read.Source, error) {
					wrapped = proc
					return fakeBPF{proc}, c.open
				},
			}
			cfg := defaultProcessConfig()
			cfg.Reader = c.reader
			source, err := b.sourceFor(settings, &cfg)
			if c.err != "" {
				require.ErrorContains(t, err, c.err)
				assert.Nil(t, source)
				assert.Zero(t, logs.Len())
				return
			}
			require.NoError(t, err)
			want := "proc"
			if c.bpf {
				assert.Equal(t, fakeBPF{wrapped}, source)
				want = "bpf"
			} else {
				assert.IsType(t, &read.Reader{}, source)
			}
			metadatatest.AssertEqualPsutilProcessReader(t, tel,
				[]metricdata.DataPoint[int64]{{Value: 1, Attributes: attribute.NewSet(attribute.String("reader", want))}}, metricdatatest.IgnoreTimestamp())
			if c.line == "" {
				assert.Zero(t, logs.Len())
				return
			}
			require.Equal(t, 1, logs.Len())
			entry := logs.All()[0]
			assert.Equal(t, c.line, entry.Message)
			assert.Equal(t, zap.InfoLevel, entry.Level)
			if c.missing != "" {
				assert.Equal(t, map[string]any{"missing": c.missing}, entry.ContextMap())
			}
		})
	}
}

// TestTheReaderThatIsAskedForIsNeeded starts a receiver on a tree of files, in which BPF has nothing to read.
func TestTheReaderThatIsAskedForIsNeeded(t *testing.T) {
	for reader, want := range map[ProcessReader]string{ProcessReaderAuto: "", ProcessReaderProc: "", ProcessReaderBPF: "is not the kernel's procfs"} {
		cfg := createDefaultConfig().(*Config)
		cfg.RootPath = fixtureRoot("server-6.x")
		cfg.Scrapers.Process.Get().Reader = reader
		require.NoError(t, cfg.Validate())
		r, err := newReceiver(receivertest.NewNopSettings(metadata.Type), cfg, consumertest.NewNop())
		require.NoError(t, err)
		err = r.Start(t.Context(), componenttest.NewNopHost())
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "scraper process: scrapers::process::reader is bpf, and processes can't be read so: ")
			require.ErrorContains(t, err, want)
		}
		require.NoError(t, r.Shutdown(context.Background()))
	}
}
