package harness

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// AwaitTrace waits until a file that strace -f writes holds the end of a process with the status 0, and gives what strace wrote.
func AwaitTrace(t *testing.T, path string, pid int) string {
	t.Helper()
	end := regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\+\+\+ exited with 0 \+\+\+$`, pid))
	var text []byte
	Eventually(t, "strace ends", func() (err error) {
		if text, err = os.ReadFile(path); err == nil && !end.Match(text) {
			err = fmt.Errorf("no %s", end)
		}
		return err
	})
	return string(text)
}
