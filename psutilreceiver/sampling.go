package psutilreceiver

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/host"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/metadata"
)

// sampler reads the sampled metrics by a ticker of its own and through a host of its own, so that no scrape and no export delays it.
type sampler struct {
	host     *host.Host
	interval time.Duration
	now      func() time.Time
	ticks    <-chan time.Time // in place of a ticker, for tests

	sources []pacedSource

	last          time.Time // of the sample before
	samples, late atomic.Uint64
	stop          chan struct{}
	running       sync.WaitGroup
}

// source reads what is sampled of one subject, and observes it in the histograms of the series.
type source interface {
	sample(now time.Time) error
	close() error
}

// pacedSource is a source that is not read for a while after an error. The error is reported by the scraper of the same subject, which reads the
// same files.
type pacedSource struct {
	source
	pause time.Duration
	retry time.Time
}

// newSampler makes the sampler of the configuration; nil without sampling.
func (r *psutilReceiver) newSampler(groups []*scrapeGroup) (*sampler, error) {
	chosen := r.cfg.sampledMetrics()
	if len(chosen) == 0 {
		return nil, nil
	}
	h, err := r.newHost()
	if err != nil {
		return nil, err
	}
	h.KeepOpen()
	s := &sampler{
		host: h, interval: r.cfg.Sampling.Interval, now: r.now, ticks: r.sampleTicks,
		stop: make(chan struct{}),
	}
	begun, d := r.now(), newDescriber()
	for _, g := range groups {
		for _, run := range g.runs {
			of := slices.DeleteFunc(slices.Clone(chosen), func(m *sampledMetric) bool { return m.scraper != run.kind.name })
			if len(of) == 0 {
				continue
			}
			g.sampler = s
			run.sampled = newSampledOutput(&r.cfg.Sampling, g.resource, r.set.BuildInfo.Version, begun)
			rec := recorder{output: run.sampled, metrics: of, describer: d, begun: begun}
			for _, source := range run.kind.sampling.sources(&r.cfg.Scrapers, sourceSettings{recorder: rec, host: h, boot: g.boot}) {
				s.sources = append(s.sources, pacedSource{source: source, pause: g.interval})
			}
		}
	}
	return s, nil
}

// start takes the first sample, which is the baseline of all rates, and then one at every tick of the interval.
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

// sample reads every source once. It is not safe for concurrent use.
func (s *sampler) sample() {
	now := s.now()
	s.count(now)
	s.host.Begin()
	for i := range s.sources {
		p := &s.sources[i]
		if now.Before(p.retry) {
			continue
		}
		// Each at the time of its own reading, so that its rates are true even if the sources before it took long.
		if p.sample(s.now()) != nil {
			p.retry = now.Add(p.pause)
		}
	}
}

// count counts the samples, and those that were late or left out: a ticker drops ticks while a sample is being taken.
func (s *sampler) count(now time.Time) {
	s.samples.Add(1)
	if elapsed := now.Sub(s.last); !s.last.IsZero() && elapsed > s.interval+s.interval/2 {
		s.late.Add(uint64(math.Round(elapsed.Seconds()/s.interval.Seconds())) - 1)
	}
	s.last = now
}

// report adds what was counted since the last report to the receiver's own telemetry.
func (s *sampler) report(ctx context.Context, telemetry *metadata.TelemetryBuilder) {
	if n := s.samples.Swap(0); n > 0 {
		telemetry.PsutilSamples.Add(ctx, int64(n))
	}
	if n := s.late.Swap(0); n > 0 {
		telemetry.PsutilSamplesLate.Add(ctx, int64(n))
	}
}
