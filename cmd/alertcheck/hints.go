package main

import (
	"fmt"
	"io"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// printHints says of rules that are right as they are what they may mean and do not say.
func printHints(w io.Writer, place string, set *rules.Set) {
	for _, r := range set.Rules {
		if r.Metric == "system.filesystem.utilization" && !r.MayMatchNothing {
			fmt.Fprintf(w, "%s: hint: rule %q: %s is a share of all blocks, and part of them is reserved for root. What df shows is used / (used + free) of "+
				"system.filesystem.usage: a ratio, as the rule disk of \"preset: host\" has it\n", place, r.Name, r.Metric)
		}
	}
}
