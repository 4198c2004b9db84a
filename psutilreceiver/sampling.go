package psutilreceiver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// sampler reads the sampled metrics by a ticker of its own, through a host of its own, so that no scrape and no export delays it.
type sampler struct {
	host     *host.Host
	interval time.Duration
	now      func() time.Time
	boot     pcommon.Timestamp
	ticks    <-chan time.Time // in place of a ticker, for tests

	sources []pacedSource

	last          time.Time // of the sample before
	samples, late atomic.Uint64
	stop          chan struct{}
	running       sync.WaitGroup
}

// source reads what is sampled of one subject and records it.
type source interface {
	sample(now time.Time) error
	close() error
}

// pacedSource is a source that is left alone for a while after it could not be read. Whoever wants to know why asks the scraper
// of the same subject: it reads the same files, and tells.
type pacedSource struct {
	source
	pause time.Duration
	retry time.Time
}

// newSampler makes the sampler that the configuration asks for, nil when that is none.
func (r *psutilReceiver) newSampler(groups []*scrapeGroup) (*sampler, error) {
	chosen := r.cfg.sampledMetrics()
	if len(chosen) == 0 {
		return nil, nil
	}
	h, err := host.New(r.cfg.RootPath)
	if err != nil {
		return nil, fmt.Errorf("root_path: %w", err)
	}
	h.KeepOpen()
	s := &sampler{
		host: h, interval: r.cfg.Sampling.Interval, now: r.now, ticks: r.sampleTicks,
		stop: make(chan struct{}),
	}
	begun := r.now()
	for _, g := range groups {
		s.boot = g.boot
		for _, run := range g.runs {
			of := slices.DeleteFunc(slices.Clone(chosen), func(m *sampledMetric) bool { return m.scraper != run.name })
			if len(of) == 0 {
				continue
			}
			g.sampler = s
			run.sampled = newSampledOutput(&r.cfg.Sampling, g.resource, r.set.BuildInfo.Version, begun)
			for _, source := range s.sourcesOf(run.name, &r.cfg.Scrapers, recorder{output: run.sampled, metrics: of, begun: begun}) {
				s.sources = append(s.sources, pacedSource{source: source, pause: g.interval})
			}
		}
	}
	return s, nil
}

// sourcesOf makes what reads the chosen metrics of one scraper, by its configuration.
func (s *sampler) sourcesOf(scraper string, cfg *ScrapersConfig, rec recorder) []source {
	switch scraper {
	case "cpu":
		return []source{newCPUSource(s.host, cfg.CPU.Get().PerCPU, s.boot, rec)}
	case "load":
		return []source{newLevels(s.host.Load, loadFigures, rec)}
	case "memory":
		return []source{newLevels(s.host.Memory, memoryFigures(runtime.GOOS == "linux"), rec)}
	case "pressure":
		var sources []source
		for _, r := range []host.Resource{host.ResourceCPU, host.ResourceMemory, host.ResourceIO, host.ResourceIRQ} {
			read := func() (host.Pressure, error) { return s.host.Pressure(r) }
			if l := newLevels(read, pressureFigures(r), rec); len(l.figures) > 0 {
				sources = append(sources, l)
			}
		}
		return sources
	case "network":
		interfaces := cfg.Network.Get().interfaces(s.host, 0)
		return []source{newDevices(&devices[host.Interface]{
			read:    func(time.Time) ([]host.Interface, error) { return interfaces.Read() },
			name:    func(i *host.Interface) (string, uint64) { return i.Name, i.Identity },
			closing: interfaces.Close,
		}, networkFigures(), rec)}
	case "disk":
		disks := cfg.Disk.Get().disks(s.host)
		return []source{newDevices(&devices[host.Disk]{
			read:    disks.Read,
			name:    func(d *host.Disk) (string, uint64) { return d.Name, d.Identity },
			closing: disks.Close,
		}, diskFigures(), rec)}
	}
	return nil
}

// start takes the first sample, which is the baseline of all rates, and goes on at every tick.
func (s *sampler) start() {
	s.sample()
	s.running.Go(func() {
		ticks := s.ticks
		if ticks == nil {
			ticker := time.NewTicker(s.interval)
			defer ticker.Stop()
			ticks = ticker.C
		}
		for {
			select {
			case <-ticks:
				s.sample()
			case <-s.stop:
				return
			}
		}
	})
}

// shutdown ends the sampling. It may be called without start.
func (s *sampler) shutdown() error {
	close(s.stop)
	s.running.Wait()
	var errs error
	for i := range s.sources {
		errs = errors.Join(errs, s.sources[i].close())
	}
	return errors.Join(errs, s.host.Close())
}

// sample reads every source once. It must not be called by two at once.
func (s *sampler) sample() {
	now := s.now()
	s.count(now)
	s.host.Begin()
	for i := range s.sources {
		p := &s.sources[i]
		if now.Before(p.retry) {
			continue
		}
		// Each by the clock of its own moment: should the others take long, its rates are true all the same.
		if p.sample(s.now()) != nil {
			p.retry = now.Add(p.pause)
		}
	}
}

// count tells the ticks that were late or missed: a ticker drops those that nobody waits for.
func (s *sampler) count(now time.Time) {
	s.samples.Add(1)
	if elapsed := now.Sub(s.last); !s.last.IsZero() && elapsed > s.interval+s.interval/2 {
		s.late.Add(uint64(math.Round(elapsed.Seconds()/s.interval.Seconds())) - 1)
	}
	s.last = now
}

// report tells the receiver's own telemetry what has happened since it was last told.
func (s *sampler) report(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	if n := s.samples.Swap(0); n > 0 {
		telemetry.PsutilSamples.Add(ctx, int64(n))
	}
	if n := s.late.Swap(0); n > 0 {
		telemetry.PsutilLateSamples.Add(ctx, int64(n))
	}
}
