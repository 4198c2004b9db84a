package notifyexporter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/pdata/pcommon"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	nooptrace "go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"
)

// withoutExtensions is the host of a channel that is tried out.
type withoutExtensions struct{}

func (withoutExtensions) GetExtensions() map[component.ID]component.Component { return nil }

// Try sends a test alert on one channel of a configuration of the exporter, and returns what the server answered. It waits for nothing and tries once.
// Extensions that log in are not there.
func Try(ctx context.Context, conf *confmap.Conf, channel string, now func() time.Time) (answer string, err error) {
	cfg := createDefaultConfig().(*Config)
	if err := conf.Unmarshal(cfg); err != nil {
		return "", err
	}
	if err := confmap.Validate(cfg); err != nil {
		return "", err
	}
	ch, there := cfg.Channels[channel]
	if !there {
		return "", fmt.Errorf("there is no channel %q (channels: %s)", channel, strings.Join(slices.Sorted(maps.Keys(cfg.Channels)), ", "))
	}
	set := component.TelemetrySettings{
		Logger: zap.NewNop(), TracerProvider: nooptrace.NewTracerProvider(), MeterProvider: noopmetric.NewMeterProvider(), Resource: pcommon.NewResource(),
	}
	s, err := ch.options.open(opening{ctx: ctx, host: withoutExtensions{}, set: set, now: now, channel: channel})
	if err != nil {
		return "", err
	}
	defer s.close()
	location, err := time.LoadLocation(cfg.TimeZone)
	if err != nil {
		return "", err
	}
	n := &notifier{cfg: cfg, location: location, now: now}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	rt := &route{name: channel, eachOnItsOwn: s.eachOnItsOwn()}
	fire := n.testMessage(ctx, rt, now().UnixNano(), false)
	answer, err = s.send(ctx, fire)
	if err != nil || !s.eachOnItsOwn() {
		return answer, err
	}
	end := n.testMessage(ctx, rt, now().UnixNano(), true) // Nobody must be left with an incident that is none.
	end.items[0].told = &told{Episode: end.items[0].entry.Episode, Thread: fire.Thread}
	after, err := s.send(ctx, end)
	if err != nil {
		return answer, errors.Join(errors.New("the test alert was told, and its end was not"), err)
	}
	return answer + "; and to its end: " + after, nil
}

// testMessage is what a test tells.
func (n *notifier) testMessage(ctx context.Context, rt *route, now int64, resolved bool) *message {
	host, _ := os.Hostname()
	value, threshold := 0.97, 0.9
	id := digest("test", host, time.Unix(0, now).Format(time.DateOnly))
	it := item{
		entry: entry{
			ID: "test-" + id, Episode: "test-" + id, Started: now - int64(time.Minute), Active: !resolved,
			About: about{
				Rule: "test", Metric: "system.filesystem.utilization", Unit: "1", Resource: map[string]string{keyHostName: host},
			},
		},
		notices: []notice{{
			UID: fmt.Sprintf("test-%s-%d", id, now), Transition: "fire", State: "firing", Severity: "info", Number: 9, At: now, Received: now,
			Text: "This is a test of the channel " + rt.name + ". Nothing is wrong.", Value: &value, Threshold: &threshold, Comparison: ">",
		}},
	}
	if resolved {
		it.entry.Ended = now
		it.notices[0].Transition, it.notices[0].State, it.notices[0].Resolved = "resolve", "resolved", true
	}
	m := n.compose(ctx, rt, &batch{items: []item{it}, open: map[string]int{}}, now)
	m.Test = true
	m.Title, m.Intro = title(m), n.intro(rt, m, now)
	m.Alerts[0].Headline = m.Title
	return m
}
