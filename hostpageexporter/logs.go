package hostpageexporter

import (
	"context"
	"math"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertorigin"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// logsNode is the exporter of logs.
type logsNode struct {
	node
	warnedExternal sync.Once // The first record that this Collector did not make was logged.
	had            alertorigin.Repeats
}

// warnExternal says once that records are refused, and by whom they were sent as far as that is known.
func (n *logsNode) warnExternal(ctx context.Context) {
	n.warnedExternal.Do(func() {
		n.page.logger.Warn("Alert records that this Collector's alert component did not make are not shown; accept_external_records: true shows them. "+
			"This is logged once", zap.String("sender", alertorigin.Sender(ctx)))
	})
}

// ConsumeLogs takes the records of the alert component. It never fails; other records are counted.
func (n *logsNode) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	p := n.page
	store := p.store.Load()
	if store == nil {
		return nil
	}
	drop := func(why string) { p.telemetry.HostPageRecordsDropped.Add(ctx, 1, reason(why)) }
	for _, rl := range ld.ResourceLogs().All() {
		for _, sl := range rl.ScopeLogs().All() {
			for _, lr := range sl.LogRecords().All() {
				if !p.cfg.AcceptExternalRecords && alertorigin.External(rl.Resource(), lr, p.now()) {
					drop("external")
					n.warnExternal(ctx)
					continue
				}
				if !p.cfg.AcceptExternalRecords && n.had.Had(lr, p.now()) {
					drop("duplicate")
					continue
				}
				switch lr.EventName() {
				case alertschema.KindStateChange.EventName():
					r, ok := alertRecord(rl.Resource(), lr)
					switch {
					case !ok:
						drop("malformed")
					case !store.Alert(r):
						drop("duplicate")
					default:
						p.hub.alert(r.Episode)
						p.moment(&r)
					}
				case alertschema.KindSuppressed.EventName(), alertschema.KindRuleError.EventName():
					store.Notice(history.Notice{
						Time: micro(lr.Timestamp()), Kind: lr.EventName(), Severity: lr.SeverityText(), Message: lr.Body().AsString(),
					})
				case alertschema.EventRule:
					store.Rule(ruleRecord(rl.Resource(), lr))
				default:
					drop("not_an_alert")
				}
			}
		}
	}
	return nil
}

// moment has the moment of a fire kept. Of many fires at once the later ones are not.
func (p *page) moment(r *history.AlertRecord) {
	if r.Transition != alertschema.TransitionFire.String() {
		return
	}
	select {
	case p.fired <- r.Episode:
	default:
	}
}

func micro(t pcommon.Timestamp) int64 { return int64(t) / 1000 }

// alertRecord reads a change of an alert; false if it lacks what identifies it.
func alertRecord(resource pcommon.Resource, lr plog.LogRecord) (history.AlertRecord, bool) {
	r := history.AlertRecord{
		Time: micro(lr.Timestamp()), Message: lr.Body().AsString(), SeverityNumber: int(lr.SeverityNumber()), Value: math.NaN(), Threshold: math.NaN(),
		Resource: texts(resource.Attributes(), nil),
	}
	if r.Time == 0 {
		r.Time = micro(lr.ObservedTimestamp())
	}
	into := map[string]*string{
		alertschema.KeyRecordUID: &r.UID, alertschema.KeyAlertID: &r.ID, alertschema.KeyEpisodeID: &r.Episode, alertschema.KeyTransition: &r.Transition, alertschema.KeyState: &r.State,
		alertschema.KeySeverity: &r.Severity, alertschema.KeyReason: &r.Reason, alertschema.KeyRuleName: &r.Rule, alertschema.KeyMetricName: &r.Metric, alertschema.KeyMetricUnit: &r.Unit,
		alertschema.KeyComparison: &r.Comparison, alertschema.KeySilencedBy: &r.SilencedBy, alertschema.KeyAcknowledgedBy: &r.AcknowledgedBy,
	}
	for key, v := range lr.Attributes().All() {
		label, isLabel := strings.CutPrefix(key, alertschema.PrefixLabel)
		annotation, isAnnotation := strings.CutPrefix(key, alertschema.PrefixAnnotation)
		switch {
		case into[key] != nil:
			*into[key] = v.AsString()
		case key == alertschema.KeyValue:
			r.Value = double(v)
		case key == alertschema.KeyThreshold:
			r.Threshold = double(v)
		case key == alertschema.KeySilencedUntil:
			r.SilencedUntil = instant(v)
		case key == alertschema.KeyStartedAt:
			r.Started = instant(v)
		case key == alertschema.KeyEndedAt:
			r.Ended = instant(v)
		case isLabel:
			r.Labels = append(r.Labels, history.Attribute{Key: label, Value: v.AsString()})
		case isAnnotation:
			r.Annotations = append(r.Annotations, history.Attribute{Key: annotation, Value: v.AsString()})
		case !alertschema.Defines(key):
			r.Attributes = append(r.Attributes, history.Attribute{Key: key, Value: v.AsString()})
		}
	}
	if r.Started == 0 {
		r.Started = r.Time
	}
	if r.State == alertschema.StateResolved.String() && r.Ended == 0 {
		r.Ended = r.Time
	}
	return r, r.Episode != "" && r.ID != "" && r.Transition != ""
}

// maxRuleAttributes bounds what is kept of a rule.
const maxRuleAttributes = 40

// ruleRecord reads what the alert component says of a rule.
func ruleRecord(resource pcommon.Resource, lr plog.LogRecord) history.Rule {
	r := history.Rule{Resource: texts(resource.Attributes(), nil), Attributes: map[string]any{}}
	for key, v := range lr.Attributes().All() {
		switch key {
		case alertschema.KeyRuleName:
			r.Name = v.AsString()
		case alertschema.KeySeverity:
			r.Severity = v.AsString()
		case alertschema.KeyMetricName:
			r.Metric = v.AsString()
		case alertschema.KeyMetricUnit:
			r.Unit = v.AsString()
		}
		if len(r.Attributes) >= maxRuleAttributes {
			continue
		}
		if n := double(v); !math.IsNaN(n) {
			r.Attributes[key] = n
		} else if text := v.AsString(); len(text) < 1000 {
			r.Attributes[key] = text
		}
	}
	return r
}

// double is a number, NaN where the value is none that JSON can hold.
func double(v pcommon.Value) float64 {
	switch v.Type() {
	case pcommon.ValueTypeDouble:
		if !math.IsInf(v.Double(), 0) {
			return v.Double()
		}
	case pcommon.ValueTypeInt:
		return float64(v.Int())
	default:
	}
	return math.NaN()
}

// instant is a time in ISO 8601 in microseconds, 0 if it is none.
func instant(v pcommon.Value) int64 {
	t, err := time.Parse(time.RFC3339Nano, v.AsString())
	if err != nil {
		return 0
	}
	return t.UnixMicro()
}
