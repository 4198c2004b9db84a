package notifyexporter

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// silencedFor is the record that a person has silenced the alert.
func (e event) silencedFor(after, length time.Duration) event {
	out := e.then(after, alertschema.TransitionSilenceStart, e.severity)
	out.more = map[string]string{alertschema.KeySilencedBy: "anna", alertschema.KeySilencedUntil: out.at.Add(length).Format(time.RFC3339Nano)}
	out.text = "silenced by anna until later: " + e.text
	return out
}

// unsilenced is the record that it is no more.
func (e event) unsilenced(after time.Duration) event {
	out := e.then(after, alertschema.TransitionSilenceEnd, e.severity)
	out.more = nil
	out.text = "no longer silenced: " + disk(e.host).text
	return out
}

// acknowledged is the record that a person looks after the alert.
func (e event) acknowledged(after time.Duration, comment string) event {
	const who = "anna"
	out := e.then(after, alertschema.TransitionAcknowledge, e.severity)
	out.more = map[string]string{alertschema.KeyAcknowledgedBy: who, alertschema.KeyComment: comment}
	out.text = "acknowledged by " + who + ": " + e.text
	return out
}

const repeating = `
group_wait: 0s
repeat_interval: 1h
channels:
  chat: {` + hook + `, escalate_to: pager, escalate_after: 15m}
  pager: {` + hook + `, standby: true}
`

// While a person's silence covers an alert it is neither repeated nor escalated. Its end lets both go on.
func TestASilencedAlertIsNeitherRepeatedNorEscalated(t *testing.T) {
	t.Parallel()
	b := newBench(t, repeating)
	fire := disk("db1")
	b.tell(fire)
	b.pass(5 * time.Minute)
	require.Len(t, b.on["chat"].take(), 1)
	silence := fire.silencedFor(5*time.Minute, 4*time.Hour)
	b.tell(silence)
	b.pass(3 * time.Hour)
	require.Empty(t, b.on["chat"].take())
	require.Empty(t, b.on["pager"].take())

	b.tell(silence.unsilenced(3 * time.Hour))
	b.pass(time.Second)
	sent := b.on["chat"].take()
	require.Equal(t, []string{"WARNING disk_full on db1: /data"}, titles(sent))
	golden(t, "silence-end.txt", shown(sent))
	b.pass(8 * time.Minute)
	require.Empty(t, b.on["pager"].take(), "the time of the silence does not count")
	b.pass(3 * time.Minute)
	assert.Len(t, b.on["pager"].take(), 1)
	b.pass(time.Hour)
	assert.Len(t, b.on["chat"].take(), 1, "it is repeated again")
}

// What was still to be told when a silence began is not told; its end is, to those who were told of the beginning.
func TestASilenceBeforeAnythingWasTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 1m\nchannels: {chat: {"+hook+"}}\n")
	fire := disk("db1")
	b.tell(fire)
	b.pass(10 * time.Second)
	b.tell(fire.silencedFor(10*time.Second, time.Hour))
	b.pass(10 * time.Minute)
	require.Empty(t, b.on["chat"].take())
	b.tell(fire.silencedFor(10*time.Second, time.Hour).resolved(10 * time.Minute))
	b.pass(10 * time.Minute)
	assert.Empty(t, b.on["chat"].take())
}

// A silence whose end is not told, for the record was lost, ends all the same. It outlives a restart.
func TestASilenceEndsByItself(t *testing.T) {
	t.Parallel()
	disks := newMemory()
	b := newBenchOn(t, "storage: disk"+repeating, disks, began)
	fire := disk("db1")
	b.tell(fire)
	b.pass(time.Minute)
	require.Len(t, b.on["chat"].take(), 1)
	b.tell(fire.silencedFor(time.Minute, 2*time.Hour))
	b.pass(time.Minute)
	again := newBenchOn(t, "storage: disk"+repeating, disks, b.clock)
	again.pass(2*time.Hour - time.Minute)
	require.Empty(t, again.on["chat"].take())
	require.Empty(t, again.on["pager"].take())
	again.pass(20 * time.Minute)
	assert.Len(t, again.on["pager"].take(), 1)
}

// Who was told of an alert hears in one line who looks after it, who was not told hears nothing, and nothing is escalated or repeated any more.
func TestAcknowledge(t *testing.T) {
	t.Parallel()
	b := newBench(t, repeating+`
  bad: {`+hook+`, min_severity: critical}
  quiet: {`+hook+`, send_acknowledged: false}
`)
	fire := disk("db1")
	b.tell(fire)
	b.pass(time.Minute)
	require.Len(t, b.on["chat"].take(), 1)
	require.Len(t, b.on["quiet"].take(), 1)
	ack := fire.acknowledged(time.Minute, "on it")
	b.tell(ack)
	b.pass(3 * time.Hour)
	sent := b.on["chat"].take()
	require.Equal(t, []string{"ACKNOWLEDGED disk_full on db1: /data"}, titles(sent))
	golden(t, "acknowledged.txt", shown(sent))
	assert.Equal(t, 3, sent[0].urgency(3, 4, 5), "nobody is to be woken")
	for _, name := range []string{"pager", "bad", "quiet"} {
		assert.Empty(t, b.on[name].take(), name)
	}
	worse := ack.then(3*time.Hour, escalate, "critical")
	worse.text = fire.text
	b.tell(worse)
	b.pass(time.Second)
	sent = b.on["chat"].take()
	golden(t, "worse-after-acknowledge.txt", shown(sent))
	assert.Len(t, b.on["bad"].take(), 1)
	b.tell(worse.resolved(time.Hour))
	b.pass(time.Second)
	assert.Len(t, b.on["chat"].take(), 1)
	assert.Len(t, b.on["quiet"].take(), 2, "it got worse, and is over")
	assert.Empty(t, b.on["pager"].take())
}

// An alert that somebody acknowledges before it was told is told with that, and one that was about to be escalated is not.
func TestAcknowledgeBeforeItWasTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 1m\nchannels: {chat: {"+hook+"}}\n")
	fire := disk("db1")
	b.tell(fire)
	b.pass(10 * time.Second)
	b.tell(fire.acknowledged(10*time.Second, "on it"))
	b.pass(time.Minute)
	sent := b.on["chat"].take()
	require.Equal(t, []string{"WARNING disk_full on db1: /data"}, titles(sent))
	golden(t, "fire-and-acknowledge.txt", shown(sent))

	busy := newBench(t, repeating)
	busy.on["pager"].fail = assert.AnError
	busy.tell(fire)
	busy.pass(20 * time.Minute)
	busy.tell(fire.acknowledged(20*time.Minute, ""))
	busy.on["pager"].fail = nil
	busy.pass(time.Hour)
	assert.Empty(t, busy.on["pager"].take())
}

// A pager that knows the alert is told that it is acknowledged, by its key, and is not triggered again.
func TestAPagerIsToldOfAnAcknowledge(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 0s\nchannels: {duty: {type: pagerduty, routing_key: "+secret+"}}\n")
	s := openSender(t, "type: pagerduty, routing_key: "+secret).(*pagerDutySender)
	var got []string
	keys := map[string]bool{}
	fire := disk("db1")
	ack := fire.acknowledged(time.Minute, "on it")
	for _, e := range []event{fire, ack, ack.resolved(time.Minute)} {
		b.pass(e.at.Sub(b.clock))
		b.tell(e)
		b.pass(time.Second)
		for _, m := range b.on["duty"].take() {
			for _, sent := range s.events(m) {
				got = append(got, sent.EventAction)
				keys[sent.DedupKey] = true
			}
		}
	}
	assert.Equal(t, []string{"trigger", "acknowledge", "resolve"}, got)
	assert.Len(t, keys, 1)
}
