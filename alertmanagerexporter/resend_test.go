package alertmanagerexporter

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// slow is a network on which every request takes its time.
type slow struct {
	http.RoundTripper
	takes time.Duration
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.takes):
		return s.RoundTripper.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// fireMany makes alerts that fire, in as many full requests.
func (b *bench) fireMany(requests int) {
	b.t.Helper()
	var many []say
	for i := range requests * alertsPerRequest {
		many = append(many, say{id: fmt.Sprintf("a%05d", i), transition: "fire", severity: "warning", started: 10, seq: 1})
	}
	b.at(10, many...)
	require.Len(b.t, b.server.got(), requests)
}

func TestTheTimeoutIsOfOneRequestAndNotOfTheWholeResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.fireMany(4)
		b.at(70)
		b.am.client.http.Transport = slow{b.server, b.cfg.ClientConfig.Timeout * 4 / 5}
		b.am.resend(t.Context())
		for _, a := range b.server.held() {
			require.Equal(t, second(70+4*60), a.EndsAt, "%s was not sent again", a.Labels[labelAlertID])
		}
		assert.Len(t, b.server.got(), 4+4)
	})
}

func TestAFreshAlertGoesBetweenTheRequestsOfAResend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.fireMany(4)
		b.server.forget()
		b.am.client.http.Transport = slow{b.server, b.cfg.ClientConfig.Timeout * 4 / 5}
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.am.resend(t.Context())
		}()
		synctest.Wait()
		fresh := say{id: "fresh", transition: "fire", severity: "critical", started: 1_000_010, at: 1_000_010, seq: 1}
		require.NoError(t, b.am.ConsumeLogs(t.Context(), logsOf(t, fresh)))
		assert.Equal(t, 2, b.server.count(), "after the request that was under way, its own")
		assert.Equal(t, "critical", b.server.active()["fresh"])
		<-done
		assert.Equal(t, 1+4, b.server.count())
		b.server.requireRight(t)
	})
}

func TestAnEndIsKeptUntilAlertmanagerForgetsTheAlert(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ResendInterval = time.Hour })
	b.at(10, say{id: "a", transition: "fire", severity: "warning", started: 10, seq: 1})
	down := true
	b.server.lose = func() (taken, answered bool) { return !down, !down }
	resolve := logsOf(t, say{
		id: "a", transition: "resolve", severity: "warning", previous: "warning", started: 1_000_010, at: 1_000_100, seq: 2,
	})
	b.clock = second(100)
	require.Error(t, b.am.ConsumeLogs(t.Context(), resolve))
	b.at(3600)
	b.am.resend(t.Context())
	down = false
	b.at(2 * 3600)
	b.am.resend(t.Context())
	assert.Empty(t, b.server.active(), "Alertmanager would take it for active for two hours more")
	assert.Equal(t, second(100), b.server.find(t, "warning").EndsAt)

	requests := b.server.count()
	b.at(100 + 4*3600)
	b.am.resend(t.Context())
	assert.Equal(t, requests, b.server.count(), "then there is nothing left to end")
	assert.Nil(t, b.am.table.entries["a"].Labels, "only how far its records have come is kept")
	b.at(5*3600, say{id: "a", transition: "fire", severity: "warning", started: 5 * 3600, seq: 3})
	assert.Len(t, b.server.active(), 1, "and it may fire again")
	b.server.requireRight(t)
}

func TestAShutdownDoesNotWaitForAnAlertmanagerThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(c *Config) { c.QueueConfig = createDefaultConfig().(*Config).QueueConfig })
		require.NoError(t, b.am.Start(t.Context(), b.host))
		b.am.client.http.Transport = slow{b.server, time.Hour}
		const alerts = 30
		for i := range alerts {
			fire := say{id: fmt.Sprintf("a%05d", i), transition: "fire", severity: "warning", started: 1_000_000, at: 1_000_000, seq: 1}
			require.NoError(t, b.am.ConsumeLogs(t.Context(), logsOf(t, fire)))
		}
		began := time.Now()
		require.NoError(t, b.am.Shutdown(t.Context()))
		assert.Equal(t, shutdownGrace, time.Since(began))
		b.restart()
		assert.Len(t, b.am.table.entries, alerts, "nothing is lost")
		b.am.resend(t.Context())
		assert.Len(t, b.server.active(), alerts)
	})
}
