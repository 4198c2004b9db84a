package notifyexporter

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertcontext"
)

// odd are the signs that texts of alerts are made of here: what markup escapes, what takes several bytes, and what is two units of UTF-16.
var odd = []rune("aaaaaaaa bbb\n\"'<>&*_`~|[]()#\\\tä€😀\u0000\u2028{{}}")

func oddText(r *rand.Rand, limit int) string {
	out := make([]rune, r.IntN(limit))
	for i := range out {
		out[i] = odd[r.IntN(len(odd))]
	}
	return cut(string(out))
}

func oddMap(r *rand.Rand, n int) map[string]string {
	out := map[string]string{}
	for range r.IntN(n + 1) {
		out[oddText(r, 100)] = oddText(r, 4000)
	}
	return out
}

// oddBatch is what one message could have to tell at the worst.
func oddBatch(r *rand.Rand) *batch {
	b := &batch{open: map[string]int{}, storm: r.IntN(4) == 0}
	for i := range 1 + r.IntN(12) {
		v := r.NormFloat64() * math.Pow(10, float64(r.IntN(20)))
		it := item{
			entry: entry{
				ID: fmt.Sprint("id", i), Episode: "e", Started: began.UnixNano() - r.Int64N(int64(100*time.Hour)), Active: true,
				About: about{
					Rule: "r" + oddText(r, 3000), Description: oddText(r, 4000), Metric: oddText(r, 2000), Unit: oddText(r, 40), Resource: oddMap(r, 4), Group: oddMap(r, 4),
					Labels: oddMap(r, 6), Annotations: oddMap(r, 6),
				},
			},
			around: &alertcontext.Context{Values: []float64{v, 0, math.NaN()}, Processes: []alertcontext.Process{{Name: oddText(r, 500), CPU: v, Memory: v}}},
		}
		it.entry.About.Resource["host.name"] = oddText(r, 300)
		it.entry.About.Annotations["runbook_url"] = "https://x.example/" + strings.Repeat("y", r.IntN(3000))
		for n := range 1 + r.IntN(maxPending) {
			it.notices = append(it.notices, notice{
				UID: fmt.Sprint(i, n), Transition: []string{"fire", "escalate", "resolve", "acknowledge", oddText(r, 200)}[r.IntN(5)], State: "firing", Severity: []string{"warning", "critical", oddText(r, 200) + "x"}[r.IntN(3)],
				Number: int32(9 + r.IntN(10)), At: began.UnixNano(), Received: began.UnixNano(), Text: oddText(r, 8000), Value: &v, Threshold: &v, Comparison: ">",
				By: oddText(r, 300), Comment: oddText(r, 300),
			})
		}
		it.last().Resolved = r.IntN(3) == 0
		b.items = append(b.items, it)
	}
	return b
}

// TestNoMessageExceedsItsLimits sends what is hard to write on each type of channel, as it is and in its short form, and holds each request to what the vendor
// documents: the length of every field, and of the whole.
func TestNoMessageExceedsItsLimits(t *testing.T) {
	t.Parallel()
	whole := map[string]int{"teams": 28 << 10, "discord": 16 << 10, "matrix": 60 << 10, "pagerduty": 512 << 10, "ntfy": 12 << 10, "slack": 40_000, "opsgenie": 100 << 10}
	for _, v := range vendors {
		if v.name == "webhook" {
			continue // The limits of a server of one's own are not known.
		}
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			server := newServerOf(t, func(w http.ResponseWriter, _ request) {
				w.WriteHeader(max(v.status, http.StatusOK))
				_, _ = io.WriteString(w, v.answer)
			})
			s := openSender(t, fmt.Sprintf(v.config, server.URL))
			n := &notifier{cfg: createDefaultConfig().(*Config), location: time.UTC, now: time.Now}
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // A test is to be the same each time.
				m := n.compose(t.Context(), &route{name: "x", eachOnItsOwn: s.eachOnItsOwn()}, oddBatch(r), began.UnixNano())
				m.Plain = seed%4 == 3
				server.forget()
				_, err := s.send(t.Context(), m)
				require.NoError(t, err)
				for _, got := range server.requests() {
					var body any
					require.NoError(t, json.Unmarshal(got.body, &body))
					wrong := v.body.check(body)
					if m.Plain { // It has but the text.
						wrong = slices.DeleteFunc(wrong, func(err error) bool { return strings.HasSuffix(err.Error(), " is missing") })
					}
					require.Empty(t, wrong, "seed %d: %.300s", seed, got.body)
					if limit := whole[v.name]; limit > 0 {
						require.LessOrEqual(t, len(got.body), limit, "seed %d", seed)
					}
				}
			}
		})
	}
}

// The cuts cut to what they say, and never within a sign.
func TestCuts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1)) //nolint:gosec // A test is to be the same each time.
	for range 500 {
		text, limit := oddText(r, 300), 1+r.IntN(200)
		assert.LessOrEqual(t, len([]rune(cutTo(text, limit))), limit)
		assert.LessOrEqual(t, unitsOf(unitsTo(text, limit+1)), limit+1)
		assert.LessOrEqual(t, len(bytesOf(text, limit+3)), limit+3)
		for _, u := range []markup{slackMarkup, htmlMarkup, markdown} {
			assert.LessOrEqual(t, unitsOf(u.fit(text, limit+10)), limit+10)
		}
	}
}
