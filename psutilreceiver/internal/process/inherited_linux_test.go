package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/proctest"
)

// TestLiveIOOfAChildIsCountedOnce has a shell run a program that copies what the test writes, and scrapes while that lives and after it was
// waited for.
func TestLiveIOOfAChildIsCountedOnce(t *testing.T) {
	for name, script := range map[string]string{
		"child":      `echo ready; read x; cat <&3 >/dev/null; echo waited; read x`,
		"grandchild": `echo ready; read x; (cat <&3 >/dev/null; exit 3); echo waited; read x`,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", script)
			data, feed, err := os.Pipe()
			require.NoError(t, err)
			cmd.ExtraFiles, cmd.Stderr = []*os.File{data}, os.Stderr
			stdin, err := cmd.StdinPipe()
			require.NoError(t, err)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				_ = feed.Close()
				_ = stdin.Close()
				_ = cmd.Wait()
			})
			require.NoError(t, data.Close())
			lines := bufio.NewReader(out)
			expect := func(want string) {
				line, err := lines.ReadString('\n')
				require.NoError(t, err)
				require.Equal(t, want+"\n", line)
			}

			tracker := newTracker(t, liveReader(t), Options{Fields: read.FieldLogicalIO})
			var received, written uint64
			add := func(n int) (members int) {
				family := map[int32]bool{int32(cmd.Process.Pid): true}
				shown := scrape(t, tracker, n).Shown
				for range 3 {
					for _, p := range shown {
						family[p.PID] = family[p.PID] || family[p.PPID]
					}
				}
				for _, p := range shown {
					if family[p.PID] {
						members++
						received += p.Delta[read.LogicalReadBytes]
						written += p.Delta[read.LogicalWriteBytes]
					}
				}
				return members
			}
			expect("ready")
			assert.Equal(t, 1, add(0))
			_, err = stdin.Write([]byte("\n"))
			require.NoError(t, err)
			const bytes, noise = 50_000_000, 1_000_000
			_, err = feed.Write(make([]byte, bytes))
			require.NoError(t, err)
			assert.Greater(t, add(1), 1)
			assert.InDelta(t, bytes, received, noise, "seen while the child lives, but for what is left in the pipe")
			require.NoError(t, feed.Close())
			expect("waited")
			assert.Equal(t, 1, add(2))
			assert.InDelta(t, bytes, received, noise, "read once")
			assert.InDelta(t, bytes, written, noise, "written once")
			inherited := proctest.LineOf(t, fmt.Sprintf("/proc/%d/io", cmd.Process.Pid), "rchar")
			assert.Greater(t, inherited, uint64(bytes), "the kernel counts it in the shell")
		})
	}
}
