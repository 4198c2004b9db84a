package alert

import (
	"fmt"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/event"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// errorKind is what a rule can't do. Of each kind and rule at most one error is said within an hour, whoever sends the data that it is about.
type errorKind string

const (
	errorShape           errorKind = "shape"            // Points that describe many values, for a rule about numbers.
	errorNumbers         errorKind = "numbers"          // The other way round.
	errorTemporality     errorKind = "temporality"      // A statistic that cumulative points don't have.
	errorStatistic       errorKind = "statistic"        // A statistic that the points lack.
	errorUnit            errorKind = "unit"             // A unit that the bounds can't be compared with.
	errorMixedUnits      errorKind = "mixed units"      // Units that can't be converted into each other, or need not be.
	errorThresholdUnit   errorKind = "threshold unit"   // What a bound is read from is of another unit.
	errorThresholdValues errorKind = "threshold values" // It has several values.
	errorLadder          errorKind = "ladder"           // Bounds that can't be.
	errorTemplate        errorKind = "template"         // A text that can't be rendered.
)

// saidError is the error of one kind that was said last. Times are running time.
type saidError struct {
	text string
	next int64 // Not before then another one is said.
	last int64 // When it last occurred, or one that was not said.
}

// maxErrorText bounds the text of an error, in bytes.
const maxErrorText = 1024

// mayReport tells whether an error of a kind would be said. Whoever has to work for the text asks first.
func (e *Engine) mayReport(r *ruleState, kind errorKind) bool {
	said := r.errors[kind]
	return said == nil || e.running >= said.next
}

// ruleError counts an error of a rule, and makes an alert.rule_error record of it unless one of its kind was said within the hour. One that goes on
// is said once; one that has not occurred for an hour is forgotten.
func (e *Engine) ruleError(r *ruleState, kind errorKind, text func() string) {
	r.errorCount++
	said := r.errors[kind]
	if said != nil {
		said.last = e.running
		if e.running < said.next {
			return
		}
		said.next = e.running + saidAgainAfter
	}
	body := alertschema.CutText(text(), maxErrorText) // The data may have a word in it, as with units.
	if said != nil && said.text == body {
		return
	}
	r.errors[kind] = &saidError{text: body, next: e.running + saidAgainAfter, last: e.running}
	r.errorsSaid++
	body = fmt.Sprintf("rule %q: %s", r.Name, body)
	e.notice("%s", body)
	e.enqueue(event.Event{
		Kind: alertschema.KindRuleError, Time: e.now, ObservedTime: e.now, SeverityNumber: errorSeverityNumber, SeverityText: "error",
		Body: body, UID: fmt.Sprintf("%s-%x-error-%d", r.Version, uint64(e.started), r.errorsSaid),
		Rule: r.Name, RuleVersion: r.Version, Metric: r.Metric,
	})
}

// forgetErrors forgets the errors that no longer occur.
func (e *Engine) forgetErrors() {
	for _, r := range e.states {
		for kind, said := range r.errors {
			if e.running-said.last >= saidAgainAfter {
				delete(r.errors, kind)
			}
		}
	}
}
