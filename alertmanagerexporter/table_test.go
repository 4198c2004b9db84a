package alertmanagerexporter

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/alertmanagerexporter/internal/metadata"
)

// bench is an exporter on a clock of its own, before a server without a network. Nothing happens by itself: the test sends and resends.
type bench struct {
	t      *testing.T
	clock  time.Time
	server *server
	host   machine
	cfg    *Config
	id     component.ID
	am     *alertmanager
}

func newBench(t *testing.T, configure func(*Config)) *bench {
	t.Helper()
	b := &bench{t: t, clock: time.Unix(1_000_000, 0), host: machine{}, cfg: createDefaultConfig().(*Config)}
	b.cfg.AcceptExternalRecords = true // There is no engine here that makes any.
	b.id = component.MustNewIDWithName("alertmanager", t.Name())
	b.server = newServer(b.now)
	b.cfg.ClientConfig.Endpoint = "http://am.example:9093"
	b.cfg.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	b.cfg.RetryConfig.Enabled = false
	if configure != nil {
		configure(b.cfg)
	}
	b.restart()
	return b
}

func (b *bench) now() time.Time { return b.clock }

// restart makes a new exporter; what the old one did not leave behind is lost.
func (b *bench) restart() {
	b.t.Helper()
	set := exportertest.NewNopSettings(metadata.Type)
	set.ID = b.id
	am, err := newLogs(context.Background(), set, b.cfg, b.now)
	require.NoError(b.t, err)
	require.NoError(b.t, am.open(context.Background(), b.host))
	am.client.http.Transport = b.server
	b.am = am
}

// reload hands the table over to a new exporter, as a change of the configuration does.
func (b *bench) reload() {
	b.t.Helper()
	require.NoError(b.t, b.am.store.CloseEntries(context.Background(), b.am.table.entries, b.now()))
	b.restart()
}

// at moves the clock to a second, and sends records then.
func (b *bench) at(second int64, records ...say) {
	b.t.Helper()
	b.clock = time.Unix(1_000_000+second, 0)
	for i := range records {
		records[i].started += 1_000_000
		if records[i].at += 1_000_000; records[i].at == 1_000_000 {
			records[i].at += second
		}
	}
	require.NoError(b.t, b.am.ConsumeLogs(context.Background(), logsOf(b.t, records...)))
}

// last is what the last request said, by severity: "firing" or "resolved".
func (b *bench) last() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	requests := b.server.got()
	require.NotEmpty(b.t, requests)
	for _, a := range requests[len(requests)-1] {
		state := "resolved"
		if a.EndsAt.After(b.clock) {
			state = "firing"
		}
		out[a.Labels[labelSeverity]] = state
	}
	return out
}

func second(s int64) time.Time { return time.Unix(1_000_000+s, 0).UTC() }

func TestAlertFiresAndResolves(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	got := b.server.find(t, "warning")
	assert.Equal(t, second(10), got.StartsAt)
	assert.Equal(t, second(10+4*60), got.EndsAt, "four resend intervals ahead")
	assert.Equal(t, "disk", got.Labels["alertname"])
	assert.Equal(t, "fire of a", got.Annotations["summary"])

	b.at(70)
	b.am.resend(t.Context())
	assert.Equal(t, second(70+4*60), b.server.find(t, "warning").EndsAt, "each resend moves the end")

	b.at(100, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 10, at: 95, seq: 2})
	got = b.server.find(t, "warning")
	assert.Equal(t, second(95), got.EndsAt, "the end is that of the episode")
	assert.Equal(t, "resolve of a", got.Annotations["summary"])
	assert.Empty(t, b.server.active())

	requests := b.server.count()
	b.at(160)
	b.am.resend(t.Context())
	assert.Equal(t, requests+1, b.server.count(), "an end is sent again for a while")
	assert.Equal(t, second(95), b.server.find(t, "warning").EndsAt)
	b.at(100 + 15*60)
	b.am.resend(t.Context())
	assert.Equal(t, requests+1, b.server.count(), "and then no more")
	b.at(101, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.am.resend(t.Context())
	assert.Empty(t, b.server.active(), "what is over is still known")
	b.at(25 * 3600)
	b.am.resend(t.Context())
	assert.Empty(t, b.am.table.entries, "for a day")
	b.server.requireRight(t)
}

func TestSeverityChangeEndsTheOldAlertInTheSameRequest(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.at(20, say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 10, seq: 2})
	assert.Equal(t, map[string]string{"warning": "resolved", "critical": "firing"}, b.last())
	assert.Equal(t, second(20), b.server.find(t, "critical").StartsAt, "critical since it is critical")
	assert.Equal(t, second(20), b.server.find(t, "warning").EndsAt)

	b.at(30, say{id: "a", transition: "deescalate", severity: "warning", previous: "critical", started: 10, seq: 3})
	assert.Equal(t, map[string]string{"warning": "firing", "critical": "resolved"}, b.last())
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active())

	b.at(40, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 10, seq: 4})
	assert.Equal(t, map[string]string{"warning": "resolved", "critical": "resolved"}, b.last())
	b.server.requireRight(t)
}

func TestSeverityChangeAfterLostMemory(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.restart()
	b.at(20, say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 10, seq: 2})
	assert.Equal(t, map[string]string{"a": "critical"}, b.server.active(), "the record itself says what was before")
	b.restart()
	b.at(30, say{id: "a", transition: "resolve", severity: "critical", previous: "critical", started: 10, seq: 3})
	assert.Empty(t, b.server.active(), "and what ends")
	b.server.requireRight(t)
}

func TestTransitionsThatLeaveAnAlertFiring(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	for i, r := range []say{
		{transition: "repeat", state: "firing"},
		{transition: "no_data", state: "no_data"},
		{transition: "data_back", state: "firing"},
		{transition: "flapping_start", state: "flapping"},
		{transition: "flapping_end", state: "firing"},
		{transition: "silence_start", state: "firing"},
		{transition: "silence_end", state: "firing"},
		{transition: "acknowledge", state: "firing"},
	} {
		r.id, r.severity, r.previous, r.started, r.seq = "a", "warning", "warning", 10, int64(i+2)
		b.at(int64(20+10*i), r)
		assert.Equal(t, map[string]string{"a": "warning"}, b.server.active(), r.transition)
		got := b.server.find(t, "warning")
		assert.Equal(t, second(10), got.StartsAt, r.transition)
		assert.Equal(t, r.transition+" of a", got.Annotations["summary"])
		want := map[string]string{"no_data": "no_data", "flapping": "flapping"}[r.state]
		assert.Equal(t, want, got.Annotations["state"], r.transition)
	}
	b.at(120, say{id: "a", transition: "flapping_end", state: "resolved", severity: "warning", previous: "warning", started: 10, at: 115, seq: 10},
		say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 10, at: 115, seq: 11})
	assert.Empty(t, b.server.active())
	assert.Equal(t, second(115), b.server.find(t, "warning").EndsAt)
	b.server.requireRight(t)
}

func TestWhichStatesAreActive(t *testing.T) {
	for state, active := range map[string]bool{"inactive": false, "resolved": false, "firing": true, "no_data": true, "flapping": true, "of a later schema": true} {
		b := newBench(t, nil)
		b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
		b.at(20, say{id: "a", transition: "of a later schema", state: state, severity: "warning", previous: "warning", started: 10, seq: 2})
		assert.Equal(t, active, len(b.server.active()) == 1, state)
	}
}

func TestDuplicatesAndLateRecordsChangeNothing(t *testing.T) {
	fire := say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1, at: 10}
	worse := say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 10, seq: 2, at: 20}
	end := say{id: "a", transition: "resolve", severity: "critical", previous: "critical", started: 10, seq: 3, at: 30}
	again := say{id: "a", transition: "fire", severity: "warning", started: 40, seq: 1, at: 40}
	belated := say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 40, seq: 1, at: 50, uid: "a-1000040-1-b"}

	b := newBench(t, nil)
	b.at(10, fire)
	requests := b.server.count()
	b.at(11, fire)
	assert.Equal(t, requests, b.server.count(), "what Alertmanager has is not sent again because of a duplicate")
	b.at(20, worse)
	b.at(21, fire, worse)
	assert.Equal(t, map[string]string{"a": "critical"}, b.server.active())
	b.at(30, end)
	b.at(31, worse, fire)
	assert.Empty(t, b.server.active(), "what is over stays over")
	b.at(40, again)
	b.at(41, end)
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active(), "the end of an older episode ends nothing")
	b.at(50, belated)
	replica := again
	replica.observed = 1_000_055
	b.at(55, belated)
	assert.Equal(t, map[string]string{"a": "critical"}, b.server.active(), "a belated record has the number of another, and comes later")
	b.at(60, say{id: "a", transition: "resolve", severity: "critical", previous: "critical", started: 40, seq: 2})
	b.at(61, replica)
	assert.Empty(t, b.server.active(), "another replica's record is the same one")
	b.server.requireRight(t)
}

func TestEpisodesAfterTheClockWasSetBack(t *testing.T) {
	b := newBench(t, nil)
	b.at(8*3600, say{id: "a", transition: "fire", severity: "warning", started: 8 * 3600, seq: 1})
	b.at(8*3600+10, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 8 * 3600, seq: 2})
	b.at(60, say{id: "a", transition: "fire", severity: "warning", started: 60, seq: 1})
	assert.Equal(t, map[string]string{"a": "warning"}, b.server.active(), "an episode in the future is no reason to ignore this one")
}

func TestLabelsOfAnEpisodeStay(t *testing.T) {
	b := newBench(t, nil)
	fire := say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1, resource: map[string]any{"host.name": "db1"}}
	b.at(10, fire)
	b.at(20, say{
		id: "a", transition: "repeat", severity: "warning", previous: "warning", started: 10, seq: 1, uid: "r", observed: 1_000_020,
		resource: map[string]any{"host.name": "db2"},
	})
	assert.Equal(t, "db1", b.server.find(t, "warning").Labels["host_name"], "another series of the group decided")

	// A new episode with other labels is another alert; the old one does not stay.
	b.at(30, say{id: "a", transition: "fire", severity: "warning", started: 30, seq: 1, resource: map[string]any{"host.name": "db2"}})
	require.Len(t, b.server.held(), 2)
	assert.Len(t, b.server.active(), 1)
	b.at(40, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 30, seq: 2})
	assert.Empty(t, b.server.active())

	// The first labels come back: their end is no longer said, that of the others is.
	b.at(50, say{id: "a", transition: "fire", severity: "warning", started: 50, seq: 1, resource: map[string]any{"host.name": "db1"}})
	b.reload()
	b.am.resend(t.Context())
	states := map[string]bool{}
	requests := b.server.got()
	for _, alert := range requests[len(requests)-1] {
		states[alert.Labels["host_name"]] = alert.EndsAt.After(b.now())
	}
	assert.Equal(t, map[string]bool{"db1": true, "db2": false}, states)
	require.Len(t, b.server.held(), 2, "and no alert has the labels of two")
	b.server.requireRight(t)
}

func TestClocksThatDisagree(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 9_000, at: 9_000, seq: 1})
	assert.Equal(t, second(10), b.server.find(t, "warning").StartsAt, "no alert starts in the future")
	b.at(20, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 9_000, at: 9_500, seq: 2})
	assert.Empty(t, b.server.active(), "nor ends there")
	b.server.requireRight(t)
}

func TestExpireAfter(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ExpireAfter = time.Hour })
	b.at(0, say{id: "a", transition: "fire", severity: "warning", started: 0, seq: 1})
	b.at(1800, say{id: "a", transition: "repeat", severity: "warning", previous: "warning", started: 0, seq: 1, uid: "r1"})
	b.at(5399)
	b.am.resend(t.Context())
	assert.Len(t, b.server.active(), 1)
	b.at(5400)
	b.am.resend(t.Context())
	assert.Empty(t, b.server.active(), "an hour after the last record")
	assert.Equal(t, "expired", b.server.find(t, "warning").Annotations["state"])
	b.at(5500, say{id: "a", transition: "repeat", severity: "warning", previous: "warning", started: 0, seq: 1, uid: "r2"})
	assert.Len(t, b.server.active(), 1, "whoever speaks again was not gone")
	b.server.requireRight(t)
}

func TestTheTableIsBounded(t *testing.T) {
	b := newBench(t, nil)
	b.am.table.limit = 2
	for _, id := range []string{"a", "b", "c"} {
		b.at(10, say{id: id, transition: "fire", severity: "warning", started: 10, seq: 1})
	}
	assert.Len(t, b.server.active(), 2)
	b.at(20, say{id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 10, seq: 2})
	assert.Len(t, b.server.active(), 1, "known alerts go on")
	b.at(20 + 15*60)
	b.am.resend(t.Context())
	b.at(1000, say{id: "c", transition: "repeat", severity: "warning", previous: "warning", started: 10, seq: 1})
	assert.Len(t, b.server.active(), 2, "what is over makes room")
}

func TestManyAlertsGoInSeveralRequests(t *testing.T) {
	b := newBench(t, nil)
	ld := plog.NewLogs()
	for i := range 3*alertsPerRequest/2 + 1 {
		logsOf(t, say{id: "a" + time.Duration(i).String(), transition: "escalate", severity: "critical", previous: "warning", started: 5, at: 10, seq: 2}).
			ResourceLogs().MoveAndAppendTo(ld.ResourceLogs())
	}
	require.NoError(t, b.am.ConsumeLogs(t.Context(), ld))
	assert.Len(t, b.server.active(), 3*alertsPerRequest/2+1)
	require.Len(t, b.server.got(), 4)
	for _, request := range b.server.got() {
		assert.LessOrEqual(t, len(request), alertsPerRequest+1)
	}
	b.server.requireRight(t)
}

func TestRestartWithStorage(t *testing.T) {
	d := newDisk()
	b := newBench(t, nil)
	b.host, b.cfg.Storage = machine{diskID: d}, &diskID
	b.restart()
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1},
		say{id: "b", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.at(20, say{id: "a", transition: "escalate", severity: "critical", previous: "warning", started: 10, seq: 2},
		say{id: "b", transition: "resolve", severity: "warning", previous: "warning", started: 10, seq: 2})
	assert.Equal(t, []string{"a", "b"}, d.alerts(t))

	b.restart()
	b.at(200)
	b.am.resend(t.Context())
	assert.Equal(t, map[string]string{"a": "critical"}, b.server.active())
	assert.Equal(t, second(200+240), b.server.find(t, "critical").EndsAt)
	b.at(210, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	assert.Equal(t, map[string]string{"a": "critical"}, b.server.active(), "duplicates are known over a restart")

	b.at(20 + 15*60)
	b.am.resend(t.Context())
	assert.Equal(t, []string{"a", "b"}, d.alerts(t))
	b.at(25 * 3600)
	b.am.resend(t.Context())
	assert.Equal(t, []string{"a"}, d.alerts(t), "what is over for long is forgotten there, too")
	b.server.requireRight(t)
}

func TestStorageThatFails(t *testing.T) {
	d := newDisk()
	b := newBench(t, nil)
	b.host, b.cfg.Storage = machine{diskID: d}, &diskID
	b.restart()
	d.broken = assert.AnError
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	assert.Len(t, b.server.active(), 1, "alerts are sent all the same")
	d.broken = nil
	b.at(70)
	b.am.resend(t.Context())
	assert.Equal(t, []string{"a"}, d.alerts(t), "what could not be written is written later")

	// Whatever became of the file, the exporter starts, and keeps what it can read.
	b.at(75, say{id: "b", transition: "fire", severity: "warning", started: 10, seq: 1})
	d.data["alert/a"] = []byte("{")
	delete(d.data, "alert/b")
	b.restart()
	assert.Empty(t, b.am.table.entries)
	b.at(80, say{id: "c", transition: "fire", severity: "warning", started: 10, seq: 1})
	assert.Equal(t, []string{"c"}, d.alerts(t))

	b.cfg.Storage = new(component.MustNewID("absent"))
	set := exportertest.NewNopSettings(metadata.Type)
	am, err := newLogs(t.Context(), set, b.cfg, b.now)
	require.NoError(t, err)
	require.EqualError(t, am.open(t.Context(), b.host), `storage "absent" not found among extensions: list it in service::extensions`)
	b.host[*b.cfg.Storage] = componentNop{}
	require.EqualError(t, am.open(t.Context(), b.host), `extension "absent" is not a storage extension`)
}

type componentNop struct {
	component.StartFunc
	component.ShutdownFunc
}

func TestReloadWithoutStorage(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	b.reload()
	b.at(200)
	b.am.resend(t.Context())
	assert.Equal(t, second(200+240), b.server.find(t, "warning").EndsAt, "the successor goes on")

	require.NoError(t, b.am.store.CloseEntries(t.Context(), b.am.table.entries, b.now()))
	b.at(200 + 121)
	b.restart()
	assert.Empty(t, b.am.table.entries, "after two minutes there is no successor any more")
}

func TestReloadIntoStorage(t *testing.T) {
	b := newBench(t, nil)
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	d := newDisk()
	b.host, b.cfg.Storage = machine{diskID: d}, &diskID
	b.reload()
	assert.Equal(t, []string{"a"}, d.alerts(t), "what was handed over is stored at once")
}
