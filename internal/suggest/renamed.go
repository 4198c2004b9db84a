package suggest

import (
	"fmt"
	"slices"
)

// renamed gives the names of today to words that older versions had for the same thing: keys of the configuration, their values, and names
// of metrics. A word counts as renamed only where the new one is known and the old one is not. CHANGELOG.md lists them for users.
var renamed = map[string]string{
	// Rules of the alert components.
	"point":     "statistic",
	"of":        "numerator",
	"to":        "denominator",
	"group_agg": "group_aggregate",
	"ok":        "close", // Of no_data::action.
	// The alert components.
	"resolved": "send_resolved",
	// The psutil receiver.
	"as":                  "format",
	"process.group.count": "process.group.process.count",
	"hw.state":            "hw.battery.state", // An attribute of hw.battery.time_left.
}

// misplaced says where words belong that are often written a block too high, beside the word that the block begins with.
var misplaced = map[string]struct{ beside, where string }{
	"disable":  {"preset", "preset::host::disable"},
	"override": {"preset", "preset::host::override"},
}

// now says what a word is called today, or where it belongs; "" when the word was not renamed to one of the known words, and is not misplaced.
func now(word string, known []string) string {
	if name, ok := renamed[word]; ok && slices.Contains(known, name) {
		return fmt.Sprintf("it is called %q now", name)
	}
	if place, ok := misplaced[word]; ok && slices.Contains(known, place.beside) {
		return "its place is " + place.where
	}
	return ""
}
