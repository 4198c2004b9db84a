package notifyexporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
)

// picky is a sender whose server takes only the short form, or nothing.
type picky struct {
	recorder
	nothing bool
}

func (p *picky) send(ctx context.Context, m *message) (string, error) {
	if p.nothing || !m.Plain {
		p.calls++
		return "", consumererror.NewPermanent(errors.New("400: too fancy"))
	}
	return p.recorder.send(ctx, m)
}

// A message that is refused is sent once more in its short form.
func TestTheShortFormOfARefusedMessage(t *testing.T) {
	t.Parallel()
	b := newBench(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n")
	server := &picky{}
	b.workers[0].sender = server
	fire := disk("db1")
	b.tell(fire)
	b.pass(time.Minute)
	require.Len(t, server.sent, 1)
	assert.Equal(t, 2, server.calls)
	golden(t, "short.txt", server.sent[0].short(1000)+"\n")
	b.tell(fire.resolved(time.Minute))
	b.pass(time.Minute)
	require.Len(t, server.sent, 2, "it counts as told")
	assert.True(t, b.workers[0].route.shortened)
	assert.Zero(t, b.workers[0].route.lostAt)
}

// A message that is refused in any form and has no fallback is seen: in the status for an hour, and in the next message that is taken.
func TestARefusedMessageIsSeen(t *testing.T) {
	t.Parallel()
	host := &watchedHost{memory: newMemory()}
	b := newBenchOn(t, "group_wait: 0s\nchannels: {mail: {"+hook+"}}\n", host, began)
	server := &picky{nothing: true}
	b.workers[0].sender = server
	b.tell(disk("db1"))
	b.pass(time.Minute)
	require.Empty(t, server.sent)
	assert.Equal(t, 2, server.calls, "it is sent no third time")
	assert.Equal(t, "lost", b.workers[0].outcome(&message{}, consumererror.NewPermanent(errors.New("x"))))
	require.Equal(t, componentstatus.StatusRecoverableError, host.last())

	b.workers[0].sender = b.on["mail"]
	b.tell(disk("web1"))
	b.pass(time.Minute)
	sent := b.on["mail"].take()
	require.Len(t, sent, 1)
	assert.Contains(t, sent[0].plain(), "Not told here before, for the server refused it: WARNING disk_full on db1: /data.")
	assert.Equal(t, componentstatus.StatusRecoverableError, host.last(), "what was lost is seen though the channel is well")
	b.tell(disk("web2"))
	b.pass(time.Minute)
	assert.NotContains(t, b.on["mail"].take()[0].plain(), "Not told here")
	b.pass(2 * time.Hour)
	b.mu.Lock()
	b.reportStatus(b.clock.UnixNano())
	b.mu.Unlock()
	assert.Equal(t, componentstatus.StatusOK, host.last())
}

// The short form has no markup, and each type of channel sends it.
func TestTheShortFormOnEachChannel(t *testing.T) {
	t.Parallel()
	for _, v := range vendors {
		server := newServerOf(t, func(w http.ResponseWriter, _ request) {
			w.WriteHeader(max(v.status, http.StatusOK))
			_, _ = io.WriteString(w, v.answer)
		})
		s := openSender(t, fmt.Sprintf(v.config, server.URL))
		messages := messagesOf(t, s.eachOnItsOwn())
		full, short := messages[1], *messages[1]
		short.Plain = true
		_, err := s.send(t.Context(), full)
		require.NoError(t, err)
		_, err = s.send(t.Context(), &short)
		require.NoError(t, err)
		a, b := string(server.requests()[0].body), string(server.requests()[1].body)
		assert.Less(t, len(b), len(a), v.name)
		assert.Contains(t, b, "disk", v.name)
		for _, fancy := range []string{"runbooks.example", "parse_mode", "formatted_body", "attachments\":[{\"fallback", "embeds"} {
			assert.NotContains(t, b, fancy, v.name)
		}
	}
}
