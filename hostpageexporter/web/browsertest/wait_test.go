package browsertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness/collector"
)

// patience bounds one wait, so that what never comes does not take the time of the tests after it. On a busy machine what comes does so in seconds.
const patience = 3 * time.Minute

// deadline is when a test ends by itself: before go test does it, which would leave the browser behind and say nothing.
func deadline(t *testing.T) time.Time {
	t.Helper()
	if end, limited := t.Deadline(); limited {
		return end.Add(-20 * time.Second)
	}
	return time.Now().Add(time.Hour)
}

// waitFor asks every so often whether something is so, until it is.
func waitFor(t *testing.T, what string, every time.Duration, is func() bool) {
	t.Helper()
	end := deadline(t)
	if last := time.Now().Add(patience); last.Before(end) {
		end = last
	}
	for !is() {
		if time.Now().After(end) {
			t.Fatalf("it is never so that %s", what)
		}
		time.Sleep(every)
	}
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := collector.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}
