package oracle

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	cases = flag.Uint64("oracle.cases", 10_000, "how many random rules and series both engines are asked about")
	seed  = flag.Uint64("oracle.seed", 1, "the seed of the first case; each further one has the next")
)

// TestMain lets garbage pile up: the millions of short queries leave little else.
func TestMain(m *testing.M) {
	debug.SetGCPercent(1000)
	os.Exit(m.Run())
}

// TestSameFiring asks both engines about random rules on random series and wants the same answer at every evaluation. What
// differs is printed as a rule-test file, as small as it gets.
func TestSameFiring(t *testing.T) {
	t.Parallel()
	var next, compared, fired, conditional atomic.Uint64
	var failures atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= *cases || failures.Load() >= 3 {
					return
				}
				c := generate(t, *seed+i)
				d := c.run(t)
				compared.Add(uint64(len(c.times())))
				if d != nil {
					failures.Add(1)
					smaller, what := shrink(t, c, d)
					t.Errorf("seed %d: %s\nPromQL: %v\n%s", *seed+i, what, smaller.rule.promLevels(), smaller.file(what))
					continue
				}
				if c.fired {
					fired.Add(1)
					if c.rule.limit || c.rule.beside != "" {
						conditional.Add(1)
					}
				}
			}
		})
	}
	workers.Wait()
	t.Logf("%d cases, %d evaluations, %d cases in which something fired, %d of them with a moving bound or beside another rule",
		*cases, compared.Load(), fired.Load(), conditional.Load())
	if failures.Load() == 0 {
		assert.Greater(t, fired.Load(), *cases/3, "cases in which nothing fires show little")
	}
}
