// The fetch command gets the kernels of the given series into the cache, so that a run can tell a machine without an archive from a test that fails.
package main

import (
	"fmt"
	"os"

	"github.com/otelcol-psutil/otelcol-psutil/vmtest/machine"
)

func main() {
	for _, series := range os.Args[1:] {
		k, err := machine.FindKernel(series)
		if err != nil {
			fmt.Fprintln(os.Stderr, "fetch:", err)
			os.Exit(1)
		}
		machine.Progress(series, "%s is there", k.Release)
	}
}
