package notifyexporter

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// storedChannels have all that goes on from what was stored: repetition, escalation, a fallback, and a channel on which each alert has its message.
const storedChannels = `
repeat_interval: 1h
channels:
  chat: {` + hook + `, escalate_to: pager, escalate_after: 15m}
  pager: {` + hook + `, fallback: sms, fallback_after: 5m}
  sms: {` + hook + `}
`

// storedEntries are entries as they are stored: of an alert that is to be told of, one that was told of, and one that has ended since, and as none is.
func storedEntries(t *testing.T) []string {
	t.Helper()
	b := newBench(t, storedChannels)
	fire := disk("db1")
	stored := func() string {
		for _, e := range b.table.entries {
			text, err := json.Marshal(e)
			require.NoError(t, err)
			return string(text)
		}
		return ""
	}
	b.tell(fire)
	entries := []string{stored()}
	b.pass(20 * time.Minute)
	entries = append(entries, stored())
	b.tell(fire.resolved(20 * time.Minute))
	return append(entries, stored(), `{`, `null`, `{"ID":"a","Channels":null}`, `{"ID":"a","Active":true,"Channels":{"chat":null,"pager":{}}}`,
		`{"ID":"a","Active":true,"Channels":{"chat":{"Pending":[{}],"Left":-1,"Told":{"Count":-1,"First":9223372036854775807}},"gone":{"Why":"escalated","From":"chat"}}}`,
		`{"ID":"a","Active":true,"Started":-9223372036854775808,"Silenced":9223372036854775807,"Channels":{"sms":{"Why":"fallback","From":"nobody","Handed":true}}}`)
}

// goOn goes on with an entry for a day, in which all is told that is to be.
func goOn(t *testing.T, text []byte) {
	t.Helper()
	var named struct{ ID string }
	_ = json.Unmarshal(text, &named)
	e, err := decodeEntry(named.ID, text)
	if err != nil {
		return
	}
	b := newBench(t, storedChannels)
	b.table.entries[e.ID] = e
	for _, later := range []time.Duration{0, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 25 * time.Hour} {
		b.clock = began.Add(later)
		b.settleNow()
	}
	b.tell(disk("db1"))
	b.settleNow()
	for id, e := range b.table.entries {
		text, err := json.Marshal(e)
		require.NoError(t, err)
		_, err = decodeEntry(id, text)
		require.NoError(t, err)
	}
}

func TestStoredEntriesGoOn(t *testing.T) {
	t.Parallel()
	for _, text := range storedEntries(t) {
		goOn(t, []byte(text))
	}
}

// FuzzStored goes on with whatever may stand in a storage.
func FuzzStored(f *testing.F) {
	f.Add([]byte(`{"ID":"a","Active":true,"Last":{"Severity":"warning","Number":13},"Channels":{"chat":{"Pending":[{"UID":"u","Transition":"fire","At":1795748400000000000}]}}}`))
	f.Add([]byte(`{"ID":"a","Active":true,"Channels":{"chat":{"Told":{"Episode":"e","First":1,"Last":2,"Count":3}},"pager":{"Why":"escalated","From":"chat","Pending":[{}]}}}`))
	f.Fuzz(goOn)
}
