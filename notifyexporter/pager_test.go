package notifyexporter

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// A storm is one incident of a pager. It ends when the last of its alerts does, and not before.
func TestAStormIsOneIncident(t *testing.T) {
	t.Parallel()
	b := newBench(t, "channels: {duty: {type: pagerduty, routing_key: "+secret+"}}\n")
	s := openSender(t, "type: pagerduty, routing_key: "+secret).(*pagerDutySender)
	events := func() (out []pagerDutyEvent) {
		for _, m := range b.on["duty"].take() {
			out = append(out, s.events(m)...)
		}
		return out
	}
	alerts := make([]event, 30)
	for i := range alerts {
		alerts[i] = disk(fmt.Sprintf("web%02d", i))
		b.tell(alerts[i])
	}
	b.pass(time.Minute)
	begun := events()
	require.Len(t, begun, 1)
	assert.Equal(t, "trigger", begun[0].EventAction)
	for i := range 29 {
		b.tell(alerts[i].resolved(time.Minute))
		if i%10 == 0 {
			b.pass(20 * time.Second)
		}
	}
	b.pass(time.Minute)
	require.Empty(t, events(), "one of them is still firing")
	b.tell(alerts[29].resolved(5 * time.Minute))
	b.pass(time.Minute)
	ended := events()
	require.Len(t, ended, 1)
	assert.Equal(t, "resolve", ended[0].EventAction)
	assert.Equal(t, begun[0].DedupKey, ended[0].DedupKey)
}

// The requests of one message do not depend on each other: what is refused keeps nothing else from being sent, and what was taken is not sent again when
// the server, or the time, gives out in the middle.
func TestPagersGoOnWhereTheyStopped(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		if v.name != "pagerduty" && v.name != "opsgenie" {
			continue
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, "group_wait: 0s\nmessages_per_minute: 1000\nchannels: {duty: {type: pagerduty, routing_key: "+secret+"}}\n")
			const alerts = 40
			for i := range alerts { // One after the other: each is a thread of its own.
				b.tell(disk(fmt.Sprintf("web%02d", i)))
				b.settleNow()
			}
			b.on["duty"].take()
			for i := range alerts {
				b.tell(disk(fmt.Sprintf("web%02d", i)).resolved(time.Minute))
			}
			b.pass(time.Second)
			sent := b.on["duty"].take()
			require.Len(t, sent, 1)
			got, down := map[string]int{}, 0
			server := newServerOf(t, func(w http.ResponseWriter, r request) {
				key := r.path + string(r.body)
				switch {
				case strings.Contains(key, sent[0].items[3].told.Thread):
					w.WriteHeader(http.StatusBadRequest)
				case down == 7:
					down = 0
					w.WriteHeader(http.StatusTooManyRequests)
				default:
					down++
					got[key]++
					w.WriteHeader(http.StatusAccepted)
				}
			})
			s := openSender(t, fmt.Sprintf(v.config, server.URL))
			var err error
			for range 20 {
				if _, err = s.send(t.Context(), sent[0]); consumererror.IsPermanent(err) {
					break
				}
				require.ErrorContains(t, err, "429")
			}
			require.ErrorContains(t, err, "400")
			assert.True(t, consumererror.IsPermanent(err))
			short := *sent[0]
			short.Plain = true
			_, err = s.send(t.Context(), &short)
			require.ErrorContains(t, err, "400")
			assert.Len(t, got, alerts-1, "all but the one that is refused")
			for key, times := range got {
				assert.Equal(t, 1, times, key)
			}
		})
	}
}
