package psutilreceiver

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// oddNumbers are what a number of the kernel can't be.
var oddNumbers = []string{"-1", "9223372036854775808", "18446744073709551615", strings.Repeat("9", 20), "", "x"}

// TestAnOddNumberCostsOneNumber replaces each number of each file that a scrape opens. What may change is what depends on the number: that is
// found by giving it another value that can be. The files are those that the kernel says were opened, so that a new reader is among them.
func TestAnOddNumberCostsOneNumber(t *testing.T) {
	root := copyServer(t)
	require.NoError(t, os.WriteFile(filepath.Join(root, "proc/1204/smaps_rollup"), []byte(proctest.SmapsText), 0o600))
	readers := readersOf(t, root)
	require.Contains(t, readers, "proc/stat")
	require.Contains(t, readers, "proc/pressure/io")
	files := slices.Sorted(maps.Keys(readers))
	healthy := make(map[string]map[string]float64) // by the scrapers that run
	for _, perCPU := range []bool{false, true} {
		for _, name := range files {
			if perCPU && name != "proc/stat" || skipsOddNumbers(name) {
				continue
			}
			configure := func(cfg *Config) {
				everyMetricOf(append(readers[name], "clock")...)(cfg)
				if cpu := cfg.Scrapers.CPU.Get(); cpu != nil {
					cpu.PerCPU = perCPU
				}
			}
			t.Run(fmt.Sprintf("%s/%t", name, perCPU), func(t *testing.T) {
				text, err := os.ReadFile(filepath.Join(root, name))
				require.NoError(t, err)
				set := fmt.Sprint(readers[name], perCPU)
				if healthy[set] == nil {
					healthy[set] = healthyPoints(t, root, configure)
				}
				for _, number := range numbersIn(name, string(text)) {
					o := oddNumber{root: root, file: name, text: string(text), numberAt: number, healthy: healthy[set]}
					o.check(t, configure)
				}
			})
		}
	}
}

// readersOf names the scrapers that open each file below root when they run alone. Nothing else can depend on the file, so that nothing else needs
// to run while its numbers are odd. The clock runs with each, for a scrape without any point is not passed on.
func readersOf(t *testing.T, root string) map[string][]string {
	t.Helper()
	readers := make(map[string][]string)
	for _, k := range scraperKinds {
		opened := openedBelow(t, root, func() {
			t.Run("alone/"+k.name, func(t *testing.T) { healthyPoints(t, root, everyMetricOf(k.name, "clock")) })
		})
		for _, name := range opened {
			readers[name] = append(readers[name], k.name)
		}
	}
	together := openedBelow(t, root, func() {
		t.Run("together", func(t *testing.T) { healthyPoints(t, root, everyScraper) })
	})
	for _, name := range together {
		require.Contains(t, readers, name, "no scraper alone opens it")
	}
	return readers
}

func healthyPoints(t *testing.T, root string, configure func(*Config)) map[string]float64 {
	t.Helper()
	f := startFixtureHost(t, root, configure)
	f.first(t)
	points := steadyPoints(t, f.after(t, 10*time.Second))
	require.Empty(t, f.warnings())
	return points
}

// skipsOddNumbers leaves out files: one process, or group, stands for all, names are no numbers, and a file that is shared by a driver for what it does not
// know has a test of its own.
func skipsOddNumbers(name string) bool {
	parts := strings.Split(name, "/")
	ofProcess := len(parts) == 3 && parts[0] == "proc" && parts[1][0] <= '9' && parts[1] != "1204" && parts[1] != "1"
	ofCgroup := strings.HasPrefix(name, "sys/fs/cgroup/") && !strings.Contains(name, "/docker-") ||
		strings.HasSuffix(name, "/cpu.max") // A share of nothing used: TestParseFiles has its numbers.
	// In these only its place says what a number is, so that one that is not there moves the others: TestAZoneThatLacksANumber.
	byPlace := name == "proc/buddyinfo" || strings.HasPrefix(name, "proc/spl/kstat/") || strings.HasSuffix(name, "/mm_stat") ||
		strings.HasPrefix(name, "sys/devices/system/node/") && strings.HasSuffix(name, "/meminfo")
	return ofProcess || ofCgroup || byPlace || parts[0] == "etc" || parts[0] == "run" || parts[0] == "var" || name == "proc/sys/kernel/version"
}

// numberAt is where a text has a number.
type numberAt struct {
	begin, end   int
	line, column int
}

// numbersIn finds the numbers in a text. Of many lines that are alike the first few stand for all, and of a line of very many numbers, too.
func numbersIn(name, text string) []numberAt {
	const alike, inLine = 4, 60
	limited := strings.HasSuffix(name, "diskstats") || strings.Contains(name, "net/") || strings.HasSuffix(name, "mountinfo")
	var found []numberAt
	at := 0
	for i, line := range strings.Split(text, "\n") {
		column := 0
		for begin := 0; begin < len(line) && (!limited || i < 2+alike); {
			end := begin
			for end < len(line) && !strings.ContainsRune(" \t=/", rune(line[end])) {
				end++
			}
			if end > begin {
				if _, err := strconv.ParseFloat(line[begin:end], 64); err == nil && line[begin] <= '9' && column < inLine && !strings.ContainsAny(line[begin:end], "xe") {
					found = append(found, numberAt{at + begin, at + end, i, column})
				}
				column++
			}
			begin = end + 1
		}
		at += len(line) + 1
	}
	return found
}

// oddNumber is one number of a host that is otherwise healthy.
type oddNumber struct {
	root, file, text string
	numberAt
	healthy map[string]float64
}

func (o *oddNumber) write(t *testing.T, number string) {
	t.Helper()
	text := o.text[:o.begin] + number + o.text[o.end:]
	require.NoError(t, os.WriteFile(filepath.Join(o.root, o.file), []byte(text), 0o600))
}

func (o *oddNumber) check(t *testing.T, configure func(*Config)) {
	t.Helper()
	was := o.text[o.begin:o.end]
	defer o.write(t, was)
	f := startFixtureHost(t, o.root, configure)
	f.first(t)
	seen := make(map[string]map[string]float64)
	for _, odd := range oddNumbers {
		o.write(t, odd)
		seen[odd] = steadyPoints(t, f.after(t, 10*time.Second))
	}
	for what, n := range f.warnings() {
		assert.Equal(t, 1, n, "said once: %s", what)
	}
	o.write(t, was)
	f.after(t, 10*time.Second)
	back := steadyPoints(t, f.after(t, 10*time.Second))
	assert.Empty(t, differences(o.healthy, back), "%s line %d number %d (%s): not back", o.file, o.line+1, o.column+1, was)
	o.write(t, otherNumber(was))
	depends := differences(o.healthy, steadyPoints(t, f.after(t, 10*time.Second)))
	for odd, got := range seen {
		for _, point := range differences(o.healthy, got) {
			assert.True(t, slices.Contains(depends, point) || o.isOfOneMetric(point, depends) || o.costsItsThing(odd, point),
				"%s line %d number %d: %q in place of %s costs %s", o.file, o.line+1, o.column+1, odd, was, point)
		}
	}
}

// isOfOneMetric is for values that depend on the number although another number in its place did not show it: a share of nothing, the lower of two
// limits. Of a process there is none.
func (o *oddNumber) isOfOneMetric(point string, depends []string) bool {
	ofProcess := strings.Count(o.file, "/") == 2 && (strings.HasPrefix(o.file, "proc/1204/") || strings.HasPrefix(o.file, "proc/1/"))
	if ofProcess {
		return false
	}
	if o.file != "proc/vmstat" && o.file != "proc/meminfo" {
		return strings.HasPrefix(o.file, "proc/sys/kernel/") && point == "system.process.limit"
	}
	metric := func(point string) string {
		name, _, _ := strings.Cut(point, "{")
		if _, ofAny, isProcess := strings.Cut(name, " "); isProcess {
			return ofAny
		}
		return name
	}
	return slices.ContainsFunc(depends, func(other string) bool { return metric(other) == metric(point) })
}

// costsItsThing is for numbers by which a thing is known from others, and for lines in which a missing number can't be told from the next one: the
// thing is left out, an interface, a device, an area, a mount or a process.
func (o *oddNumber) costsItsThing(odd, point string) bool {
	line := strings.Split(o.text, "\n")[o.line]
	switch {
	case strings.HasSuffix(o.file, "/diskstats") && o.column < 2:
		return strings.Contains(point, "system.device="+strings.Fields(line)[2])
	case strings.HasSuffix(o.file, "/softnet_stat") && o.column == 12: // The number of the CPU, without which there is no sum.
		return strings.HasPrefix(point, "system.network.softnet.")
	case strings.Contains(o.file, "/sysvipc/") && odd == "": // Which number of the line is missing can't be told.
		return strings.HasPrefix(point, "system.linux.ipc.")
	case strings.HasSuffix(o.file, "/swaps"):
		return strings.HasPrefix(point, "system.paging.")
	case strings.HasSuffix(o.file, "/net/dev") && odd == "":
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		return strings.Contains(point, "="+name)
	case strings.HasSuffix(o.file, "/mountinfo"):
		return strings.HasPrefix(point, "system.filesystem.") && strings.Contains(point, strings.Fields(line)[4])
	case strings.Count(o.file, "/") == 2 && strings.HasSuffix(o.file, "/stat") && (o.column == 0 || o.column == 21):
		return strings.HasPrefix(point, strings.Split(o.file, "/")[1]+" ") || strings.HasPrefix(point, "system.process.count")
	case strings.HasSuffix(o.file, "/ifindex"):
		return strings.Contains(point, "="+filepath.Base(filepath.Dir(o.file)))
	case strings.Contains(o.file, "/hwmon"): // A sensor without a reading has no limits, one limit says whether the other means anything, and so on.
		sensor, _, _ := strings.Cut(filepath.Base(o.file), "_")
		return strings.Contains(point, "/"+sensor+",")
	}
	return false
}

// otherNumber is another value that a number can have.
func otherNumber(was string) string {
	if v, err := strconv.ParseInt(was, 10, 64); err == nil {
		return strconv.FormatInt(v+7, 10)
	}
	v, _ := strconv.ParseFloat(was, 64)
	return strconv.FormatFloat(v+1.25, 'f', 2, 64)
}

// differences lists the points that one of two scrapes lacks, or has with another value.
func differences(a, b map[string]float64) []string {
	var names []string
	for name, v := range a {
		if other, ok := b[name]; !ok || other != v {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// steadyPoints are the points that stay as they are while the fixture does.
func steadyPoints(t *testing.T, md pmetric.Metrics) map[string]float64 {
	t.Helper()
	points := pointValues(t, md)
	for name := range points {
		if strings.Contains(name, "process.uptime") || strings.Contains(name, "container.uptime") || isOneOf(name, spaceOfThisMachine) ||
			isOneOf(name, clockOfThisMachine) {
			delete(points, name)
		}
	}
	return points
}

// openedBelow lists the files below root that are opened while f runs, by what the kernel tells.
func openedBelow(t *testing.T, root string, f func()) []string {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	require.NoError(t, err)
	defer func() { _ = unix.Close(fd) }()
	watched := make(map[int32]string)
	require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		wd, err := unix.InotifyAddWatch(fd, filepath.Join(root, path), unix.IN_OPEN)
		watched[int32(wd)] = path
		return err
	}))
	f()
	opened := make(map[string]bool)
	buf := make([]byte, 1<<20)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			require.ErrorIs(t, err, unix.EAGAIN)
			break
		}
		for at := 0; at+unix.SizeofInotifyEvent <= n; {
			opened[watched[int32(binary.NativeEndian.Uint32(buf[at:]))]] = true
			at += unix.SizeofInotifyEvent + int(binary.NativeEndian.Uint32(buf[at+12:]))
		}
	}
	names := make([]string, 0, len(opened))
	for name := range opened {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
