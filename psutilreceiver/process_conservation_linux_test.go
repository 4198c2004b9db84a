package psutilreceiver

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// workerScript does what its lines ask for, in the shell itself: turns of a loop, blocks of 64 KiB to keep in memory, blocks to write.
const workerScript = `
block=x
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do block=$block$block; done
echo ready
while read -r turns keep write; do
	i=0; while [ $i -lt "$turns" ]; do i=$((i+1)); done
	kept=; i=0; while [ $i -lt "$keep" ]; do kept=$kept$block; i=$((i+1)); done
	i=0; while [ $i -lt "$write" ]; do printf %s "$block"; i=$((i+1)); done >>"$1"
	echo done
done`

// workers are processes whose load moves from one to the other, a few of them heavy and most of them light.
type workers []*child

func startWorkers(t *testing.T, shell string, n int) workers {
	t.Helper()
	dir := t.TempDir()
	all := make(workers, 0, n)
	for i := range n {
		all = append(all, startChild(t, exec.Command(shell, "-c", workerScript, "worker", filepath.Join(dir, strconv.Itoa(i)))))
	}
	for _, w := range all {
		require.Equal(t, "ready", w.answer())
	}
	return all
}

// begin gives each of them its part of a round.
func (all workers) begin(round int) {
	for i, w := range all {
		place := (i*379 + round*53) % len(all)
		turns, keep, write := 50, 1, 0
		if place < 60 {
			turns, keep, write = 150*(60-place), (60-place)/5, (60-place)/6
		}
		w.tell(fmt.Sprintf("%d %d %d", turns, keep, write))
	}
}

func (all workers) finish() {
	for _, w := range all {
		w.answer()
	}
}

func (all workers) read(t *testing.T) map[string]processReading {
	t.Helper()
	now := make(map[string]processReading, len(all))
	for _, w := range all {
		now[strconv.Itoa(w.cmd.Process.Pid)] = readProcess(t, w.cmd.Process.Pid)
	}
	return now
}

// total adds up one value of all processes.
func total(readings map[string]processReading, value func(processReading) float64) float64 {
	sum := 0.0
	for _, r := range readings {
		sum += value(r)
	}
	return sum
}

// counted are the counters, or sums of counters, that are compared. Of a reader by BPF that is the whole time that a process ran: it gives it exactly, while
// stat gives whole ticks of each part.
func counted(reader ProcessReader) map[string]func(processReading) float64 {
	all := map[string]func(processReading) float64{
		"process.disk.io/read":  func(r processReading) float64 { return r.diskRead },
		"process.disk.io/write": func(r processReading) float64 { return r.diskWrites },
	}
	if reader == ProcessReaderBPF {
		all[wholeCPUTime] = func(r processReading) float64 { return r.ran }
	} else {
		all["process.cpu.time/user"] = func(r processReading) float64 { return r.user }
		all["process.cpu.time/system"] = func(r processReading) float64 { return r.system }
	}
	return all
}

const wholeCPUTime = "process.cpu.time"

// addWholeCPUTime adds user and system time together.
func addWholeCPUTime(got batchValues) {
	whole := map[string]float64{}
	for _, metric := range cpuMetrics {
		for pid, value := range got[metric] {
			whole[pid] += value
		}
	}
	got[wholeCPUTime] = whole
}

// assertLevels compares the number of processes and their memory with what the test read before and after: of those shown the exact one, of the
// others what costs nothing.
func assertLevels(t *testing.T, reader ProcessReader, got batchValues, before, after map[string]processReading) {
	t.Helper()
	least, most := 0.0, 0.0
	for pid, r := range before {
		earlier, later := r.resident, after[pid].resident
		if reader == ProcessReaderBPF { // Exact of all.
			earlier, later = r.exactResident, after[pid].exactResident
		}
		if value, shown := got["process.memory.usage"][pid]; shown {
			earlier, later = r.exactResident, after[pid].exactResident
			assert.GreaterOrEqual(t, value, min(earlier, later), pid)
			assert.LessOrEqual(t, value, max(earlier, later), pid)
		}
		least += min(earlier, later)
		most += max(earlier, later)
	}
	assert.GreaterOrEqual(t, got.sum("process.memory.usage"), least)
	assert.LessOrEqual(t, got.sum("process.memory.usage"), most)
	shown := len(got["process.memory.usage"]) - 1
	assert.InDelta(t, len(before), got["process.group.process.count"]["other"]+float64(shown), 0, "shown and others are all")
	assert.GreaterOrEqual(t, shown, 10)
	assert.LessOrEqual(t, shown, 45, "at most 15 by each of three keys")
}

// TestProcessesShownAndOthersAreAll puts 500 processes to work and compares, scrape by scrape, the sum over the few that are shown and the
// remainder with what the test reads of all of them: while they work between two readings, while they rest exactly.
func TestProcessesShownAndOthersAreAll(t *testing.T) {
	shell, _, only := programs(t)
	all := startWorkers(t, shell, 500)
	eachReader(t, func(t *testing.T, reader ProcessReader) {
		t.Helper()
		configure := func(c *Config, p *ProcessConfig) {
			only(c, p)
			p.Reader = reader
		}
		t.Run("delta", func(t *testing.T) { conserveDeltas(t, all, reader, configure) })
		t.Run("cumulative", func(t *testing.T) { conserveTotals(t, all, reader, configure) })
		t.Run("host", func(t *testing.T) { conserveHost(t, all, reader) })
	})
}

// microsecond is what user and system time of a process are cut to, each.
const microsecond = 1e-6

func conserveDeltas(t *testing.T, all workers, reader ProcessReader, only func(*Config, *ProcessConfig)) {
	t.Helper()
	slack := 2 * microsecond * float64(len(all))
	first := all.read(t)
	live, got := watchProcesses(t, TemporalityDelta, only)
	assertLevels(t, reader, got, first, all.read(t))
	sums := map[string]float64{}
	everShown := map[string]bool{}
	for round := range 4 {
		all.begin(round)
		earlier := all.read(t)
		got := live.scrape() // Most of them are at work.
		addWholeCPUTime(got)
		later := all.read(t)
		for metric, valueOf := range counted(reader) {
			sums[metric] += got.sum(metric)
			assert.GreaterOrEqual(t, sums[metric], total(earlier, valueOf)-total(first, valueOf)-slack, metric)
			assert.LessOrEqual(t, sums[metric], total(later, valueOf)-total(first, valueOf)+slack, metric)
		}
		all.finish()
		earlier = all.read(t)
		got = live.scrape() // All of them rest.
		addWholeCPUTime(got)
		later = all.read(t)
		assertLevels(t, reader, got, earlier, later)
		for metric, valueOf := range counted(reader) {
			sums[metric] += got.sum(metric)
			assert.GreaterOrEqual(t, sums[metric], total(earlier, valueOf)-total(first, valueOf)-slack, metric)
			assert.LessOrEqual(t, sums[metric], total(later, valueOf)-total(first, valueOf)+slack, metric)
		}
		for pid := range got["process.memory.usage"] {
			everShown[pid] = true
		}
	}
	cpu := sums[wholeCPUTime] + sums["process.cpu.time/user"] + sums["process.cpu.time/system"]
	assert.Positive(t, cpu)
	assert.Greater(t, len(everShown), 20, "who is shown has changed")
	t.Logf("CPU %.2f s, written %.0f MiB, %d processes shown at one time or other",
		cpu, sums["process.disk.io/write"]/(1<<20), len(everShown)-1)
}

// conserveTotals follows a consumer of cumulative sums: a process has its own true totals, the remainder what came in while it was there.
func conserveTotals(t *testing.T, all workers, reader ProcessReader, only func(*Config, *ProcessConfig)) {
	t.Helper()
	slack := 2 * microsecond * float64(len(all))
	before := all.read(t)
	live, _ := watchProcesses(t, TemporalityCumulative, only)
	previous := all.read(t)
	others := map[string]float64{}
	for round := range 4 {
		all.begin(round)
		all.finish()
		earlier := all.read(t)
		got := live.scrape()
		addWholeCPUTime(got)
		later := all.read(t)
		assertLevels(t, reader, got, earlier, later)
		for metric, valueOf := range counted(reader) {
			grown := got[metric]["other"] - others[metric]
			assert.GreaterOrEqual(t, grown, 0.0, "the remainder never falls")
			others[metric] = got[metric]["other"]
			least, most := total(earlier, valueOf), total(later, valueOf)
			for pid, value := range got[metric] {
				if pid == "other" {
					continue
				}
				assert.GreaterOrEqual(t, value, valueOf(earlier[pid])-2*microsecond, "%s of %s", metric, pid)
				assert.LessOrEqual(t, value, valueOf(later[pid])+2*microsecond, "%s of %s", metric, pid)
				least, most = least-valueOf(earlier[pid]), most-valueOf(later[pid])
				least, most = least+valueOf(previous[pid]), most+valueOf(before[pid])
			}
			assert.GreaterOrEqual(t, grown, least-total(previous, valueOf)-slack, metric)
			assert.LessOrEqual(t, grown, most-total(before, valueOf)+slack, metric)
		}
		before, previous = earlier, later
	}
}

// hostTime is what the host's CPUs did, in seconds, by the columns of /proc/stat.
func hostTime(t *testing.T) (work, interrupted float64) {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	require.NoError(t, err)
	line, _, _ := strings.Cut(string(text), "\n")
	var columns [8]float64 // user nice system idle iowait irq softirq steal
	for i, word := range strings.Fields(line)[1:9] {
		columns[i], err = strconv.ParseFloat(word, 64)
		require.NoError(t, err)
	}
	return (columns[0] + columns[1] + columns[2]) * tickSeconds, (columns[5] + columns[6] + columns[7]) * tickSeconds
}

// conserveHost compares all processes of the host with what its CPUs did. The kernel measures the time of processes but samples that of the
// host at its ticks, and counts interrupts and stolen time to processes only: hence the quarter of room above, besides what is physically
// possible. Below there is none, because what processes do not account for is unattributed.
func conserveHost(t *testing.T, all workers, reader ProcessReader) {
	t.Helper()
	live, _ := watchProcesses(t, TemporalityDelta, func(_ *Config, p *ProcessConfig) { p.Top.N, p.Reader = 10, reader })
	work, interrupted := hostTime(t)
	begin := time.Now()
	live.scrape() // Between this scrape and the next is what is compared.
	earliest := all.read(t)
	workAfter, _ := hostTime(t)
	all.begin(1)
	all.finish()
	later := all.read(t)
	workBefore, _ := hostTime(t)
	got := live.scrape()
	addWholeCPUTime(got)
	capacity := time.Since(begin).Seconds() * float64(runtime.NumCPU())
	workEnd, interruptedEnd := hostTime(t)

	own := func(r processReading) float64 { return r.user + r.system }
	if reader == ProcessReaderBPF {
		own = func(r processReading) float64 { return r.ran }
	}
	accounted := got.sum(cpuMetrics...) + got.sum(childrenMetrics...)
	unattributed := got.sum("system.process.cpu.unattributed")
	t.Logf("processes %.2f s and unattributed %.2f s; host %.2f s of %.2f s", accounted, unattributed, workEnd-workAfter, capacity)
	assert.GreaterOrEqual(t, accounted, total(later, own)-total(earliest, own)-2*microsecond*float64(len(all)), "no less than the workers used")
	assert.LessOrEqual(t, accounted, capacity+4*tickSeconds*float64(len(all)), "no more than there was")
	assert.GreaterOrEqual(t, accounted+unattributed, workBefore-workAfter-2*tickSeconds)
	assert.LessOrEqual(t, accounted, 1.25*(workEnd-work+interruptedEnd-interrupted)+20*tickSeconds)
}
