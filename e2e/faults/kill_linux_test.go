package faults

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
	"github.com/otelcol-psutil/otelcol-psutil/internal/testenv"
)

// witness has a file, which no kill takes back, see each scrape just before the queue does or just after it.
const witness = `{exporters: {file: {path: scraped-%d.jsonl, rotation: {max_megabytes: 100}}},
  service: {pipelines: {metrics: {exporters: [%s, alert, file]}}}}`

// witnessed are the scrapes of one life, by receiver, in their order.
func (s *sender) witnessed(life int) map[pmetric.AggregationTemporality][]time.Time {
	s.t.Helper()
	scrapes := make(map[pmetric.AggregationTemporality][]time.Time)
	path := filepath.Join(s.dir, fmt.Sprintf("scraped-%d.jsonl", life))
	all, err := harness.Batches(path)
	if err != nil {
		return scrapes // It was killed before it had begun.
	}
	for _, md := range all {
		found, ok := scrapeOf(harness.PointsOf(md))
		require.True(s.t, ok)
		scrapes[found.temporality] = append(scrapes[found.temporality], found.at)
	}
	for _, instants := range scrapes {
		slices.SortFunc(instants, time.Time.Compare)
	}
	return scrapes
}

// missing are the witnessed scrapes that did not arrive. Those that were the last of a receiver in a life may have been between the scrape and
// the queue; the others were in the queue.
func (s *sender) missing(lives int) (last, queued []scrape, seen int) {
	s.t.Helper()
	var arrived map[scrape]int
	require.NoError(s.t, s.backend.look(func(l *ledger) error { arrived = maps.Clone(l.scrapes); return nil }))
	for life := range lives {
		for temporality, instants := range s.witnessed(life) {
			seen += len(instants)
			for i, at := range instants {
				one := scrape{temporality: temporality, at: at}
				if _, ok := arrived[one]; ok {
					continue
				}
				if i == len(instants)-1 {
					last = append(last, one)
				} else {
					queued = append(queued, one)
				}
			}
		}
	}
	return last, queued, seen
}

// passes waits for a scrape later than an instant. The one consumer takes from the queue in order, so that what waited longer was taken before.
func (s *sender) passes(instant time.Time) {
	s.t.Helper()
	harness.Eventually(s.t, "the queue is worked off", func() error {
		return s.backend.look(func(l *ledger) error {
			for one := range l.scrapes {
				if one.at.After(instant) {
					return nil
				}
			}
			return fmt.Errorf("none of %d scrapes is later than %v", len(l.scrapes), instant)
		})
	})
}

// allButTheLast starts a collector with a backend that is there, and holds what arrives against what was witnessed. A start moves the request
// that was being sent to the end of the queue in two writes and deletes it first: a kill between them loses it, and the next start says so.
func (s *sender) allButTheLast(kills int) {
	s.t.Helper()
	restarted := time.Now()
	s.backend.up()
	s.begin()
	s.passes(restarted)
	last, queued, seen := s.missing(kills)
	moved := s.unretrieved + strings.Count(s.Output(), "Failed retrieving item")
	s.t.Logf("%d kills: of %d scrapes witnessed %d were lost between the scrape and the queue, %d as a start moved them", kills, seen,
		len(last), len(queued))
	assert.LessOrEqual(s.t, len(queued), moved, "what was in the queue arrives")
	s.ends()
}

// TestFaultCollectorKilled kills collectors at random moments, with a backend that is there or not, and starts the next.
func TestFaultCollectorKilled(t *testing.T) {
	t.Parallel()
	for _, protocol := range protocols {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			const kills = 8
			s := newSender(t, protocol)
			for life := range kills {
				s.backend.down()
				if life%3 == 0 {
					s.backend.up()
				}
				s.begin(fmt.Sprintf(witness, life, protocol))
				wait(t, time.Duration(200+rand.IntN(1000))*time.Millisecond)
				s.gone()
			}
			s.backend.down()
			s.allButTheLast(kills)
		})
	}
}

// TestFaultCollectorKilledWhileItWrites kills each of E2E_KILLS collectors at a write to its storage: the first at its first, the next at its
// second, and so on.
func TestFaultCollectorKilledWhileItWrites(t *testing.T) {
	kills, err := strconv.Atoi(os.Getenv("E2E_KILLS"))
	if err != nil {
		t.Skip("E2E_KILLS does not say how often") //nolint:forbidigo // It takes minutes, and runs when it is asked for.
	}
	testenv.Strace(t)
	const protocol = "otlp_grpc"
	s := newSender(t, protocol)
	for life := range kills {
		s.backend.down()
		if life%10 == 9 {
			s.backend.up()
		}
		s.wrap = func(program string, args ...string) *exec.Cmd {
			inject := fmt.Sprintf("inject=pwrite64:signal=KILL:when=%d", life+1)
			return exec.Command("strace", append([]string{"-f", "-qq", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", inject, program}, args...)...)
		}
		s.begin(fmt.Sprintf(witness, life, protocol))
		require.Error(t, s.Await(t), "it is killed")
		s.gone()
	}
	s.wrap = exec.Command
	s.backend.down()
	s.allButTheLast(kills)
}
