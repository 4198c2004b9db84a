package psutilreceiver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestARatioIsTrueOrLeftOut has two CPUs that are 40 % busy all the time. In the second scrape what the kernel says of one of them, and of all, is off
// in one mode, or the read is late. No ratio is then said that is not so.
func TestARatioIsTrueOrLeftOut(t *testing.T) {
	line := func(name string, user, idle, iowait string) string {
		return fmt.Sprintf("%s %s 0 0 %s %s 0 0 0 0 0\n", name, user, idle, iowait)
	}
	ticks := func(n int) string { return fmt.Sprint(n) }
	for _, tc := range []struct {
		name   string
		second func(user, idle, iowait int) (string, string, string)
	}{
		{"as ever", func(u, i, w int) (string, string, string) { return ticks(u), ticks(i), ticks(w) }},
		{"idle is odd", func(u, _, w int) (string, string, string) { return ticks(u), "-1", ticks(w) }},
		{"user is odd", func(_, i, w int) (string, string, string) { return "99999999999999999999", ticks(i), ticks(w) }},
		{"idle begins again", func(u, _, w int) (string, string, string) { return ticks(u), "3", ticks(w) }},
		{"idle falls a little", func(u, i, w int) (string, string, string) { return ticks(u), ticks(i - 800), ticks(w) }},
		{"iowait falls a little", func(u, i, w int) (string, string, string) { return ticks(u), ticks(i), ticks(w - 100) }},
		{"idle leaps", func(u, i, w int) (string, string, string) { return ticks(u), ticks(i + 1_000_000), ticks(w) }},
	} {
		for _, perCPU := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%t", tc.name, perCPU), func(t *testing.T) {
				root, clock := copyServer(t), &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
				h := newOneScraper(t, clock, func(cfg *Config) {
					cfg.RootPath = root
					cfg.Scrapers.CPU.GetOrInsertDefault().PerCPU = perCPU
				})
				said := 0
				for n := range 8 {
					clock.step(10 * time.Second)
					user, idle, iowait := 100_000+400*n, 800_000+600*n, 5000
					one := line("cpu0", ticks(user), ticks(idle), ticks(iowait))
					other, total := strings.Replace(one, "cpu0", "cpu1", 1), line("cpu", ticks(2*user), ticks(2*idle), ticks(2*iowait))
					if n == 4 {
						u, i, w := tc.second(user, idle, iowait)
						other = line("cpu1", u, i, w)
						u, i, w = tc.second(2*user, 2*idle, 2*iowait)
						total = line("cpu", u, i, w)
					}
					require.NoError(t, os.WriteFile(filepath.Join(root, "proc/stat"), []byte(total+one+other), 0o600))
					for point, p := range h.scrape(t) {
						if !strings.HasPrefix(point, "system.cpu.utilization") {
							continue
						}
						said++
						switch {
						case strings.Contains(point, "mode=user"):
							assert.InDelta(t, 0.4, p.value, 1e-3, "scrape %d: %s", n, point)
						case strings.Contains(point, "mode=idle"):
							assert.InDelta(t, 0.6, p.value, 1e-3, "scrape %d: %s", n, point)
						}
					}
				}
				assert.GreaterOrEqual(t, said, 5*7, "five scrapes with the seven modes of the conventions")
			})
		}
	}
}
