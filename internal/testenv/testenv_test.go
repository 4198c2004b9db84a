package testenv_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// recorder is a test that only notes how it ended.
type recorder struct {
	testing.TB

	skipped, failed bool
}

func (*recorder) Helper() {}

func (r *recorder) Skipf(string, ...any) {
	r.skipped = true
	runtime.Goexit()
}

func (r *recorder) Fatalf(string, ...any) {
	r.failed = true
	runtime.Goexit()
}

// end runs a test to its end.
func end(t *testing.T, test func(tb testing.TB)) *recorder {
	t.Helper()
	r, ended := &recorder{TB: t}, make(chan struct{})
	go func() {
		defer close(ended)
		test(r)
	}()
	<-ended
	return r
}

func TestWhatIsMissingSkipsOrFails(t *testing.T) {
	missing := func(tb testing.TB) {
		tb.Helper()
		testenv.Program(tb, "no-such-program")
	}
	t.Setenv(testenv.RequireRoot, "")
	r := end(t, missing)
	assert.True(t, r.skipped)
	assert.False(t, r.failed)

	t.Setenv(testenv.RequireRoot, "1")
	r = end(t, missing)
	assert.False(t, r.skipped)
	assert.True(t, r.failed)
}

func TestWhatTheKernelLacksSkips(t *testing.T) {
	lacking := func(tb testing.TB) {
		tb.Helper()
		testenv.Kernel(tb, "no such feature")
	}
	t.Setenv(testenv.RequireRoot, "1")
	t.Setenv(testenv.RequireKernel, "")
	r := end(t, lacking)
	assert.True(t, r.skipped)
	assert.False(t, r.failed)

	t.Setenv(testenv.RequireKernel, "1")
	r = end(t, lacking)
	assert.False(t, r.skipped)
	assert.True(t, r.failed)
}
