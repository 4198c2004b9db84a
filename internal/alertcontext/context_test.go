package alertcontext

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type one struct {
	unit  string
	known bool
	wait  <-chan struct{}
}

func (o *one) Describe(context.Context, Alert) (Context, bool) {
	if o.wait != nil {
		<-o.wait
	}
	return Context{Unit: o.unit}, o.known
}

func TestTheFirstThatKnowsAnswers(t *testing.T) {
	_, ok := Describe(t.Context(), Alert{})
	assert.False(t, ok, "there is none")
	leaveA := Offer(&one{unit: "a"})
	leaveB := Offer(&one{unit: "b", known: true})
	c, ok := Describe(t.Context(), Alert{})
	require.True(t, ok)
	assert.Equal(t, "b", c.Unit)
	leaveB()
	_, ok = Describe(t.Context(), Alert{})
	assert.False(t, ok)
	leaveA()
}

func TestOneThatHangsIsNotWaitedFor(t *testing.T) {
	release := make(chan struct{})
	leave := Offer(&one{known: true, wait: release})
	defer leave()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 * maxAsked {
		_, ok := Describe(ctx, Alert{})
		assert.False(t, ok)
	}
	assert.LessOrEqual(t, len(asked), maxAsked)
	close(release)
	require.Eventually(t, func() bool { return len(asked) == 0 }, time.Minute, time.Millisecond)
}
