package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/hostmetrics"
)

// oldNameOnly says of a name that it is one of hostmetricsreceiver.
const oldNameOnly = "%q is the name of hostmetricsreceiver, which the psutil receiver has with `compat: hostmetrics` alone"

// attributeToday is what an attribute of a metric's points is called today that hostmetricsreceiver calls key; "" if it is no name of it. The metric has
// its old name or that of today.
func attributeToday(metric, key string) string {
	row, _ := hostmetrics.ByOldName(metric)
	if row == nil {
		row, _ = hostmetrics.ByName(metric)
	}
	if row == nil {
		return ""
	}
	for i := range row.Attributes {
		if a := &row.Attributes[i]; a.Old == key && a.Key != key {
			return a.Key
		}
	}
	return ""
}

// printOldNames says of the rules on metrics with names that only hostmetricsreceiver has that they are such. It is no warning: the names of attributes alone
// tell that a metric is one of the psutil receiver, and other receivers have these.
func printOldNames(w io.Writer, place string, set *rules.Set) {
	for _, r := range set.Rules {
		for _, in := range r.Kind.Inputs() {
			row, suffix := hostmetrics.ByOldName(in.Metric)
			if row == nil || row.Name+suffix == in.Metric || in.Optional {
				continue
			}
			today := []string{row.Name + suffix}
			add := func(location attr.Location, key string) {
				if name := attributeToday(in.Metric, key); name != "" && location == attr.InPoint && !slices.Contains(today, name) {
					today = append(today, name)
				}
			}
			for _, test := range in.Selector.Tests() {
				add(test.Location, test.Key)
			}
			for _, f := range r.GroupBy {
				add(f.Location, f.Key)
			}
			fmt.Fprintf(w, "%s: hint: rule %q: "+oldNameOnly+"; without that write %s\n", place, r.Name, in.Metric, strings.Join(today, ", "))
		}
	}
}
