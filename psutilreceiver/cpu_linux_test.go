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

// TestAnErrorOfAnAuxiliaryFileDoesNotAffectTheTimes: from the first scrape on a file other than proc/stat can't be read. Times and utilization are those of a
// healthy host, and when the file can be read again, its metrics are back.
func TestAnErrorOfAnAuxiliaryFileDoesNotAffectTheTimes(t *testing.T) {
	for file, costs := range map[string]string{
		"topology/thread_siblings_list": "system.cpu.physical.count",
		"cpufreq/scaling_cur_freq":      "system.cpu.frequency{cpu.logical_number=0}",
	} {
		for _, perCPU := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/per_cpu=%t", filepath.Base(file), perCPU), func(t *testing.T) {
				clock := &steppedClock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
				roots := []string{copyServer(t), copyServer(t)}
				mend := spoil(t, filepath.Join(roots[1], "sys/devices/system/cpu/cpu0", file), "a directory")
				var hosts []*oneScraper
				for _, root := range roots {
					hosts = append(hosts, newOneScraper(t, clock, func(cfg *Config) {
						cfg.RootPath = root
						cfg.Scrapers.CPU.GetOrInsertDefault().PerCPU = perCPU
						cfg.Metrics.SystemCPUFrequency.Enabled = true
					}))
				}
				scrape := func(n int) (healthy, got map[string]streamPoint) {
					clock.step(10 * time.Second)
					for _, root := range roots {
						writeCPUTimes(t, root, n)
					}
					return hosts[0].scrape(t), hosts[1].scrape(t)
				}
				var healthy, got map[string]streamPoint
				for n := range 4 {
					healthy, got = scrape(n)
					require.Contains(t, healthy, costs)
					delete(healthy, costs)
					require.Equal(t, healthy, got, "scrape %d", n)
				}
				assert.True(t, hasMetric(got, "system.cpu.utilization"))
				mend()
				healthy, got = scrape(4)
				require.Equal(t, healthy, got)
			})
		}
	}
}

func hasMetric(points map[string]streamPoint, name string) bool {
	for key := range points {
		if strings.HasPrefix(key, name+"{") {
			return true
		}
	}
	return false
}

// writeCPUTimes gives a host of four CPUs times at its nth scrape, ten seconds apart. They are in hundredths of a second.
func writeCPUTimes(t *testing.T, root string, n int) {
	t.Helper()
	user, idle := 100_000+400*n, 800_000+600*n
	text := fmt.Sprintf("cpu  %d 0 0 %d 0 0 0 0 0 0\n", 4*user, 4*idle)
	for cpu := range 4 {
		text += fmt.Sprintf("cpu%d %d 0 0 %d 0 0 0 0 0 0\n", cpu, user, idle)
	}
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/stat"), []byte(text), 0o600))
}
