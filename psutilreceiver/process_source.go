package psutilreceiver

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read/bpf"
)

// bpfReader is package bpf. Tests have another.
type bpfReader struct {
	exists    bool // on this system
	supported func(root string) error
	open      func(proc *read.Reader) (read.Source, error)
}

var thisBPF = bpfReader{
	exists: bpf.Exists, supported: bpf.Supported,
	open: func(proc *read.Reader) (read.Source, error) { return bpf.New(proc) },
}

// newProcessSource returns what the process scraper reads processes by.
func newProcessSource(settings scraperSettings, cfg ProcessConfig) (read.Source, error) {
	return thisBPF.sourceFor(&settings, &cfg)
}

// sourceFor opens the reader that the configuration asks for, and says once which it is, and with auto what is missing for reading by BPF.
func (b *bpfReader) sourceFor(settings *scraperSettings, cfg *ProcessConfig) (read.Source, error) {
	root := settings.host.Root()
	proc := read.New(root)
	proc.KeepArguments(cfg.CommandLineArgs)
	if cfg.Reader == ProcessReaderProc {
		settings.reportReader(metadata.AttributeTelemetryProcessReaderProc)
		return proc, nil
	}
	err := b.supported(root)
	if err == nil {
		var source read.Source
		if source, err = b.open(proc); err == nil {
			settings.logger.Info("Processes are read by BPF")
			settings.reportReader(metadata.AttributeTelemetryProcessReaderBpf)
			return source, nil
		}
		err = fmt.Errorf("the kernel refuses the programs: %w", err)
	}
	if cfg.Reader == ProcessReaderBPF {
		return nil, fmt.Errorf("scrapers::process::reader is bpf, and processes can't be read so: %w; give what is missing, or set it to auto, which reads /proc then", err)
	}
	if b.exists {
		settings.logger.Info("Processes are read from /proc; BPF, which costs less and sees each process to its end, can't be used", zap.NamedError("missing", err))
	}
	settings.reportReader(metadata.AttributeTelemetryProcessReaderProc)
	return proc, nil
}

// reportReader tells the receiver's own telemetry which reader runs.
func (s *scraperSettings) reportReader(reader metadata.AttributeTelemetryProcessReader) {
	s.telemetry.PsutilProcessReader.Record(context.Background(), 1, metric.WithAttributes(attribute.String("reader", reader.String())))
}
