package notifyexporter

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

var update = flag.Bool("update", false, "write the golden files")

func stamp(t time.Time) pcommon.Timestamp { return pcommon.NewTimestampFromTime(t) }

const (
	escalate     = alertschema.TransitionEscalate
	deescalate   = alertschema.TransitionDeescalate
	noData       = alertschema.TransitionNoData
	dataBack     = alertschema.TransitionDataBack
	flappingFrom = alertschema.TransitionFlappingStart
	flappingTo   = alertschema.TransitionFlappingEnd
)

// stable is an alert that is firing and no more flapping.
func stable(e event) event {
	e.state = alertschema.StateFiring
	return e
}

const oneChannel = "page_url: 'http://{host.name}.example:8080/'\nchannels: {mail: {" + hook + "}}\n"

// What people get in the course of an episode.
func TestMessagesOfAnEpisode(t *testing.T) {
	t.Parallel()
	for name, later := range map[string][]event{
		"fire-escalate-resolve.txt": {
			disk("db1").then(4*time.Minute, escalate, "critical"), disk("db1").then(4*time.Minute, escalate, "critical").resolved(22 * time.Minute),
		},
		"deescalate.txt": {
			disk("db1").then(4*time.Minute, escalate, "critical"), disk("db1").then(4*time.Minute, escalate, "critical").then(time.Minute, deescalate, "warning"),
		},
		"no-data.txt": {
			disk("db1").then(5*time.Minute, noData, "warning"), disk("db1").then(5*time.Minute, noData, "warning").then(time.Hour, dataBack, "warning"),
		},
		"flapping.txt": {
			disk("db1").then(5*time.Minute, flappingFrom, "warning"), stable(disk("db1").then(5*time.Minute, flappingFrom, "warning").then(30*time.Minute, flappingTo, "warning")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, oneChannel)
			b.tell(disk("db1"))
			b.pass(15 * time.Second)
			for _, e := range later {
				b.pass(e.at.Sub(b.clock))
				b.tell(e)
				b.pass(15 * time.Second)
			}
			golden(t, name, shown(b.on["mail"].take()))
		})
	}
}

// What belongs together comes in one message, and nothing before group_wait.
func TestOneMessageForWhatBelongsTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, "channels: {mail: {"+hook+"}}\n")
	b.tell(disk("db1"))
	b.pass(5 * time.Second)
	memory := disk("db1")
	memory.rule, memory.text, memory.metric, memory.group, memory.severity = "memory", "memory of db1 is 97% used", "system.memory.utilization", nil, "critical"
	b.tell(memory)
	b.tell(disk("web1"))
	b.pass(4 * time.Second)
	require.Empty(t, b.on["mail"].sent)
	b.pass(20 * time.Second)
	sent := b.on["mail"].take()
	assert.ElementsMatch(t, []string{"CRITICAL 2 alerts firing on db1", "WARNING disk_full on web1: /data"}, titles(sent))
	golden(t, "together.txt", shown(sent[:1]))
}

// A resolve goes where its fire went, and only there.
func TestResolveGoesWhereItsFireWent(t *testing.T) {
	t.Parallel()
	b := newBench(t, `
group_wait: 0s
channels:
  all: {`+hook+`}
  bad: {`+hook+`, min_severity: critical}
  storage: {`+hook+`, match: {alert.label.team: storage}}
  web: {`+hook+`, match: {alert.label.team: [web, "front*"]}}
  db: {`+hook+`, match: {host.name: "db*", alert.rule.name: disk_full}}
  fires: {`+hook+`, send_resolved: false}
`)
	count := func() map[string]int {
		out := map[string]int{}
		for name, r := range b.on {
			if n := len(r.take()); n > 0 {
				out[name] = n
			}
		}
		return out
	}
	fire := disk("db1")
	b.tell(fire)
	b.pass(time.Second)
	assert.Equal(t, map[string]int{"all": 1, "storage": 1, "db": 1, "fires": 1}, count())
	b.tell(fire.resolved(time.Minute))
	b.pass(time.Second)
	assert.Equal(t, map[string]int{"all": 1, "storage": 1, "db": 1}, count())

	fire.started, fire.at, fire.severity = began.Add(time.Hour), began.Add(time.Hour), "critical"
	b.clock = fire.at
	b.tell(fire)
	b.pass(time.Second)
	assert.Equal(t, map[string]int{"all": 1, "bad": 1, "storage": 1, "db": 1, "fires": 1}, count())
	down := fire.then(time.Minute, deescalate, "warning")
	b.tell(down)
	b.pass(time.Second)
	assert.Equal(t, map[string]int{"all": 1, "bad": 1, "storage": 1, "db": 1, "fires": 1}, count(), "who was told hears how it goes on")
	b.tell(down.resolved(time.Minute))
	b.pass(time.Second)
	assert.Equal(t, map[string]int{"all": 1, "bad": 1, "storage": 1, "db": 1}, count())
	b.tell(disk("nobody-was-told").resolved(time.Minute))
	b.pass(time.Minute)
	assert.Empty(t, count())
}

// What is not resolved or acknowledged within a time is told on the next channel, and its end there, too.
func TestEscalation(t *testing.T) {
	t.Parallel()
	const text = `
group_wait: 0s
channels:
  chat: {` + hook + `, escalate_to: pager, escalate_after: 15m}
  pager: {` + hook + `, standby: true}
`
	b := newBench(t, text)
	b.tell(disk("db1"))
	b.pass(14 * time.Minute)
	require.Len(t, b.on["chat"].take(), 1)
	require.Empty(t, b.on["pager"].sent)
	b.pass(2 * time.Minute)
	sent := b.on["pager"].take()
	require.Equal(t, []string{"WARNING disk_full on db1: /data (escalated)"}, titles(sent))
	golden(t, "escalated.txt", shown(sent))
	b.pass(time.Hour)
	require.Empty(t, b.on["pager"].sent, "it is told once")
	b.tell(disk("db1").resolved(80 * time.Minute))
	b.pass(time.Second)
	assert.Len(t, b.on["pager"].take(), 1)
	assert.Len(t, b.on["chat"].take(), 1)

	soon := newBench(t, text)
	soon.tell(disk("db1"))
	soon.pass(time.Minute)
	soon.tell(disk("db1").resolved(time.Minute))
	soon.pass(time.Hour)
	assert.Empty(t, soon.on["pager"].sent, "it was over before")

	acknowledged := newBench(t, text)
	acknowledged.tell(disk("db1"))
	acknowledged.pass(time.Minute)
	e := disk("db1").then(time.Minute, alertschema.TransitionRepeat, "warning")
	e.more = map[string]string{alertschema.KeyAcknowledgedBy: "anna"}
	acknowledged.tell(e)
	acknowledged.pass(time.Hour)
	assert.Empty(t, acknowledged.on["pager"].sent, "anna is on it")
}

// What is still firing is told again, and what was acknowledged is not.
func TestRepeats(t *testing.T) {
	t.Parallel()
	b := newBench(t, "repeat_interval: 1h\nchannels: {often: {"+hook+"}, never: {"+hook+", repeat_interval: 0s}}\n")
	b.tell(disk("db1"))
	b.pass(3*time.Hour + time.Minute)
	assert.Equal(t, []string{"WARNING disk_full on db1: /data", "WARNING disk_full on db1: /data (still firing)", "WARNING disk_full on db1: /data (still firing)", "WARNING disk_full on db1: /data (still firing)"},
		titles(b.on["often"].take()))
	assert.Len(t, b.on["never"].take(), 1)
	b.tell(disk("db1").resolved(3*time.Hour + 2*time.Minute))
	b.pass(5 * time.Hour)
	assert.Len(t, b.on["often"].take(), 1)
}

// A channel is used in its hours. What begins outside is told when they begin, unless it is over.
func TestHours(t *testing.T) {
	t.Parallel()
	b := newBench(t, "time_zone: Europe/Berlin\nchannels: {day: {"+hook+", active: {days: mon-fri, hours: '08:00-18:00', time_zone: Europe/Berlin}}}\n")
	b.tell(disk("db1")) // 04:00 in Berlin, on a Friday.
	short := disk("web1")
	b.tell(short)
	b.pass(time.Minute)
	b.tell(short.resolved(time.Minute))
	b.pass(3*time.Hour + 58*time.Minute)
	require.Empty(t, b.on["day"].sent)
	b.pass(2 * time.Minute)
	sent := b.on["day"].take()
	assert.Equal(t, []string{"WARNING disk_full on db1: /data"}, titles(sent))
	golden(t, "in-the-morning.txt", shown(sent))
	b.clock = began.Add(16 * time.Hour)
	b.tell(disk("db1").resolved(16 * time.Hour))
	b.pass(time.Hour)
	require.Empty(t, b.on["day"].sent)
	b.clock = began.Add((3*24 + 5) * time.Hour) // Monday.
	b.pass(time.Minute)
	assert.Equal(t, []string{"RESOLVED disk_full on db1: /data"}, titles(b.on["day"].take()))
}

// A storm is one message, however many alerts there are: those of a minute end as a bounded number of messages, and so do their resolves.
func TestStorm(t *testing.T) {
	t.Parallel()
	for _, alone := range []string{"", `type: pagerduty, routing_key: "0123456789abcdef0123456789abcdef"`} {
		config := hook
		if alone != "" {
			config = alone
		}
		b := newBench(t, "channels: {mail: {"+config+"}}\n")
		told := func(resolved bool) int {
			n := 0
			for _, m := range b.on["mail"].sent {
				for i := range m.items {
					if m.items[i].last().Resolved == resolved {
						n++
					}
				}
			}
			return n
		}
		alerts := make([]event, 1000)
		for i := range alerts {
			alerts[i] = disk(fmt.Sprintf("web%03d", i/2))
			alerts[i].group = map[string]string{"system.filesystem.mountpoint": fmt.Sprintf("/%d", i%2)}
			if i%10 == 0 {
				alerts[i].severity = "critical"
			}
			b.tell(alerts[i])
			if i%17 == 0 {
				b.pass(time.Second)
			}
		}
		b.pass(2 * time.Minute)
		assert.Equal(t, 1000, told(false), "everything is told")
		sent := b.on["mail"].take()
		assert.LessOrEqual(t, len(sent), 21, "in how many messages")
		var storms []*message
		for _, m := range sent {
			if m.Storm {
				storms = append(storms, m)
			}
		}
		require.NotEmpty(t, storms)
		if alone == "" {
			golden(t, "storm.txt", shown(storms[len(storms)-1:]))
		}
		for i := range alerts {
			b.tell(alerts[i].resolved(3 * time.Minute))
		}
		b.pass(5 * time.Minute)
		assert.Equal(t, 1000, told(true))
		assert.LessOrEqual(t, len(b.on["mail"].take()), 41)
	}
}

// A channel that fails keeps what it was to tell; another is told meanwhile, and none waits for it.
func TestFallback(t *testing.T) {
	t.Parallel()
	b := newBench(t, `
group_wait: 0s
channels:
  mail: {`+hook+`, fallback: sms, fallback_after: 5m}
  sms: {`+hook+`, standby: true}
  chat: {`+hook+`}
`)
	b.on["mail"].fail = errors.New("mail.example:587: connection refused")
	b.tell(disk("db1"))
	b.pass(time.Second)
	assert.Len(t, b.on["chat"].take(), 1, "it waits for no other")
	b.pass(4 * time.Minute)
	require.Empty(t, b.on["sms"].sent)
	b.pass(2 * time.Minute)
	sent := b.on["sms"].take()
	require.Len(t, sent, 1)
	golden(t, "fallback.txt", shown(sent))
	b.pass(time.Hour)
	require.Empty(t, b.on["sms"].sent, "it is told once")
	b.tell(disk("db1").resolved(70 * time.Minute))
	b.pass(time.Minute)
	assert.Equal(t, []string{"RESOLVED disk_full on db1: /data"}, titles(b.on["sms"].take()))
	b.on["mail"].fail = nil
	b.pass(2 * time.Minute)
	sent = b.on["mail"].take()
	require.Equal(t, []string{"RESOLVED disk_full on db1: /data"}, titles(sent), "it hears of all of it, in one message")
	golden(t, "late.txt", shown(sent))

	b.on["mail"].fail = consumererror.NewPermanent(errors.New("too large"))
	b.tell(disk("web1"))
	b.pass(time.Second)
	assert.Len(t, b.on["sms"].take(), 1, "what is refused permanently is told elsewhere at once")
	calls := b.on["mail"].calls
	b.pass(time.Hour)
	assert.Equal(t, calls, b.on["mail"].calls)
}

// A server that says when to come again is heeded, and one that says nothing is asked ever less often.
func TestBackOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n")
	b.on["mail"].fail = &waitError{errors.New("429"), 5 * time.Minute}
	b.tell(disk("db1"))
	b.pass(290 * time.Second)
	assert.Equal(t, 1, b.on["mail"].calls)
	b.on["mail"].fail = errors.New("refused")
	b.pass(time.Hour)
	assert.Less(t, b.on["mail"].calls, 150)
	assert.Greater(t, b.on["mail"].calls, 30)
}

// A duplicate is told once, whenever it comes, and a record that is older than what was told is not told.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	disks := newMemory()
	const text = "storage: disk\ngroup_wait: 0s\nchannels: {mail: {" + hook + "}}\n"
	b := newBenchOn(t, text, disks, began)
	fire := disk("db1")
	up := fire.then(time.Minute, escalate, "critical")
	for range 3 {
		b.tell(fire)
	}
	b.pass(time.Second)
	b.tell(up)
	b.tell(fire)
	b.pass(time.Second)
	assert.Len(t, b.on["mail"].take(), 2)

	again := newBenchOn(t, text, disks, b.clock) // The first was killed.
	again.tell(fire)
	again.tell(up)
	again.pass(time.Minute)
	assert.Empty(t, again.on["mail"].take())
	end := up.resolved(10 * time.Minute)
	again.tell(end)
	again.tell(end)
	again.pass(time.Minute)
	assert.Len(t, again.on["mail"].take(), 1)
	again.tell(fire)
	again.tell(up)
	again.pass(time.Minute)
	assert.Empty(t, again.on["mail"].take())
}

// A server that is dead for ten minutes, and a Collector that is killed meanwhile: nothing is lost, nothing is told twice, the resolve comes after
// the fire.
func TestKilledWhileTheServerIsDead(t *testing.T) {
	t.Parallel()
	disks := newMemory()
	const text = "storage: disk\nchannels: {mail: {" + hook + "}, other: {" + hook + "}}\n"
	at := began
	var told []string
	var dead *bench
	note := func(b *bench) {
		for _, m := range b.on["mail"].take() {
			for i := range m.items {
				for _, n := range m.items[i].notices {
					told = append(told, m.items[i].entry.About.Resource["host.name"]+" "+n.Transition)
				}
			}
		}
	}
	want := map[string]bool{}
	for minute := range 12 {
		dead = newBenchOn(t, text, disks, at) // It was killed at the end of the last minute.
		if minute < 10 {
			dead.on["mail"].fail = errors.New("connection refused")
		}
		host := fmt.Sprintf("web%02d", minute)
		fire := disk(host)
		fire.started, fire.at = at, at
		dead.tell(fire)
		want[host+" fire"] = true
		dead.pass(20 * time.Second)
		if minute%2 == 0 {
			dead.tell(fire.resolved(30 * time.Second))
			want[host+" resolve"] = true
		}
		dead.pass(40 * time.Second)
		at = dead.clock
		note(dead)
	}
	dead.pass(5 * time.Minute)
	note(dead)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(want)), told)
	for i, what := range told {
		if host, ok := strings.CutSuffix(what, " resolve"); ok {
			assert.Contains(t, told[:i], host+" fire")
		}
	}
}

// One thread an episode: later messages name the thread of the first.
func TestThreads(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n")
	fire := disk("db1")
	up := fire.then(time.Minute, escalate, "critical")
	for _, e := range []event{fire, up, up.resolved(time.Minute)} {
		b.tell(e)
		b.pass(time.Minute)
	}
	sent := b.on["mail"].take()
	require.Len(t, sent, 3)
	assert.Empty(t, sent[0].Threads)
	assert.Equal(t, []string{sent[0].Thread}, sent[1].Threads)
	assert.Equal(t, []string{sent[0].Thread}, sent[2].Threads)
	next := fire
	next.started, next.at = b.clock, b.clock
	b.tell(next)
	b.pass(time.Second)
	sent = b.on["mail"].take()
	require.Len(t, sent, 1)
	assert.Empty(t, sent[0].Threads, "another episode is another thread")
}

// A storage that can't be written to keeps nobody from being told.
func TestStorageThatFails(t *testing.T) {
	t.Parallel()
	disks := newMemory()
	b := newBenchOn(t, "storage: disk\ngroup_wait: 0s\nchannels: {mail: {"+hook+"}}\n", disks, began)
	disks.breaks(true)
	b.tell(disk("db1"))
	b.pass(time.Second)
	assert.Len(t, b.on["mail"].take(), 1)
	disks.breaks(false)
	b.tell(disk("web1"))
	b.pass(time.Second)
	again := newBenchOn(t, "storage: disk\ngroup_wait: 0s\nchannels: {mail: {"+hook+"}}\n", disks, b.clock)
	again.tell(disk("db1").resolved(time.Minute))
	again.pass(time.Second)
	assert.Len(t, again.on["mail"].take(), 1, "it was written later")
}

// Without a storage a reload forgets nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	const text = "group_wait: 0s\nchannels: {mail: {" + hook + "}}\n"
	b := newBench(t, text)
	b.tell(disk("db1"))
	b.pass(time.Second)
	require.Len(t, b.on["mail"].take(), 1)
	b.cancel, b.resolvesNeeded = func() {}, func() {}
	require.NoError(t, b.Shutdown(t.Context()))
	require.Error(t, b.ConsumeLogs(t.Context(), disk("db1").logs()))
	after := newBench(t, text)
	after.tell(disk("db1"))
	after.tell(disk("db1").resolved(time.Minute))
	after.pass(time.Second)
	assert.Equal(t, []string{"RESOLVED disk_full on db1: /data"}, titles(after.on["mail"].take()))
}
