package main

import (
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/otlpsink"
)

// record is an alert record that has arrived.
type record struct {
	event, rule, host, hostID string
	alert, episode, uid       string
	transition, reason        string
	decided, arrived          time.Time
}

// sink is the backend: it keeps the alert records, and lets the metrics go.
type sink struct {
	*otlpsink.Server

	mu      sync.Mutex
	records []record
	broken  error
}

func newSink() (*sink, error) {
	s := &sink{}
	var err error
	s.Server, err = otlpsink.Listen(func(method string, request []byte) {
		if strings.Contains(method, "LogsService") {
			s.keep(request, time.Now())
		}
	})
	return s, err
}

func (s *sink) keep(text []byte, now time.Time) {
	request := plogotlp.NewExportRequest()
	err := request.UnmarshalProto(text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.broken = err
		return
	}
	for _, rl := range request.Logs().ResourceLogs().All() {
		of := texts(rl.Resource().Attributes())
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				a := texts(lr.Attributes())
				s.records = append(s.records, record{
					event: lr.EventName(), rule: a("alert.rule.name"), host: of("host.name"), hostID: of("host.id"),
					alert: a("alert.id"), episode: a("alert.episode.id"), uid: a("log.record.uid"),
					transition: a("alert.transition"), reason: a("alert.reason"),
					decided: lr.Timestamp().AsTime(), arrived: now,
				})
			}
		}
	}
}

func texts(attributes pcommon.Map) func(key string) string {
	return func(key string) string {
		v, ok := attributes.Get(key)
		if !ok {
			return ""
		}
		return v.AsString()
	}
}

// all is what has arrived so far.
func (s *sink) all() ([]record, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clip(s.records), s.broken
}
