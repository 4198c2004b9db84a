package alertaction

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var now = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestCheckSilence(t *testing.T) {
	good := Silence{Rule: "load", By: "anna", Comment: "tab\there \x1b[31mred", From: now, To: now.Add(time.Hour)}
	require.NoError(t, good.Check())
	assert.NotContains(t, good.Comment, "\x1b")
	rows := map[string]struct {
		edit func(*Silence)
		want string
	}{
		"nothing named":   {func(s *Silence) { s.Rule = "" }, "what to silence"},
		"no length":       {func(s *Silence) { s.To = s.From }, "must end after it begins"},
		"too long":        {func(s *Silence) { s.To = s.From.Add(MaxLength + 1) }, "30 days"},
		"nobody":          {func(s *Silence) { s.By = " " }, "say who"},
		"a long comment":  {func(s *Silence) { s.Comment = strings.Repeat("a", MaxText+1) }, "256 bytes"},
		"an empty key":    {func(s *Silence) { s.Group = map[string]string{"": "x"} }, "must have a key"},
		"a long value":    {func(s *Silence) { s.Group = map[string]string{"k": strings.Repeat("a", MaxText+1)} }, "256 bytes"},
		"many attributes": {func(s *Silence) { s.Group = manyAttributes() }, "16 attributes"},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			s := Silence{Rule: "load", By: "anna", From: now, To: now.Add(time.Hour)}
			row.edit(&s)
			assert.ErrorContains(t, s.Check(), row.want)
		})
	}
}

func manyAttributes() map[string]string {
	out := map[string]string{}
	for _, c := range "abcdefghijklmnopq" {
		out[string(c)] = "x"
	}
	return out
}

func TestCheckAcknowledgement(t *testing.T) {
	require.NoError(t, (&Acknowledgement{Alert: "00000000000000aa", By: "anna"}).Check())
	require.ErrorContains(t, (&Acknowledgement{By: "anna"}).Check(), "which alert")
	require.ErrorContains(t, (&Acknowledgement{Alert: "00000000000000aa"}).Check(), "say who")
}

func TestSummary(t *testing.T) {
	s := Silence{Rule: "load", Alert: "00000000000000aa", Group: map[string]string{"b": "2", "a": "1"}}
	assert.Equal(t, "rule load, alert 00000000000000aa, a=1, b=2", s.Summary())
}

// one is a component that takes everything, or nothing.
type one struct {
	err      error
	silences []Silence
	took     int
}

func (o *one) Silence(Silence) error             { o.took++; return o.err }
func (o *one) EndSilence(string, string) error   { o.took++; return o.err }
func (o *one) Acknowledge(Acknowledgement) error { o.took++; return o.err }
func (o *one) Silences() []Silence               { return o.silences }

func TestEveryComponentIsAsked(t *testing.T) {
	assert.False(t, Possible())
	require.ErrorIs(t, PutSilence(Silence{}), ErrNotRunning)
	require.ErrorIs(t, EndSilence("", ""), ErrNotRunning)
	require.ErrorIs(t, Acknowledge(Acknowledgement{}), ErrNotRunning)
	later, sooner := Silence{ID: "1", To: now.Add(2)}, Silence{ID: "2", To: now.Add(1)}
	a := &one{err: ErrUnknownAlert, silences: []Silence{later}}
	b := &one{silences: []Silence{later, sooner}}
	leaveA, leaveB := Offer(a), Offer(b)
	assert.True(t, Possible())
	assert.Equal(t, []Silence{sooner, later}, Silences())
	require.NoError(t, Acknowledge(Acknowledgement{}), "one of them has it")
	require.NoError(t, EndSilence("", ""))
	require.ErrorIs(t, PutSilence(Silence{}), ErrUnknownAlert, "all must hold it")
	assert.Equal(t, 3, a.took)
	assert.Equal(t, 3, b.took)
	b.err = errors.New("other")
	require.Error(t, EndSilence("", ""))
	a.err, b.err = ErrUnknownRule, nil
	require.NoError(t, PutSilence(Silence{Rule: "load"}), "the component that has the rule holds it")
	b.err = ErrUnknownRule
	require.ErrorContains(t, PutSilence(Silence{Rule: "laod"}), "there is no such rule: laod")
	leaveA()
	leaveB()
	assert.False(t, Possible())
}

func TestNewIDs(t *testing.T) {
	assert.Len(t, NewID(), 16)
	one, other := NewID(), NewID()
	assert.NotEqual(t, one, other)
}
