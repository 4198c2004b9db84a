package machine

import (
	"fmt"
	"os"
	"time"
)

var began = time.Now()

// Progress says on the terminal what is being done, and how long the test has run.
func Progress(who, format string, args ...any) {
	elapsed := time.Since(began).Round(time.Second)
	fmt.Fprintf(os.Stderr, "%s %02d:%02d  %-5s %s\n",
		time.Now().Format(time.TimeOnly), int(elapsed.Minutes()), int(elapsed.Seconds())%60, who, fmt.Sprintf(format, args...))
}
