package notifyexporter

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
