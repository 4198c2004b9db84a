package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
	"github.com/otelcol-psutil/otelcol-psutil/notifyexporter"
)

// tryChannel sends a test alert on a channel of a notify exporter, and says what the server answered.
func tryChannel(file, name, channel string, stdout, stderr io.Writer) int {
	conf, err := notifySettings(file, name)
	var answer string
	if err == nil {
		answer, err = notifyexporter.Try(context.Background(), conf, channel, time.Now)
	}
	if err != nil {
		report(stderr, file, channel, err)
		return failed
	}
	fmt.Fprintf(stdout, "%s: told: %s\n", channel, printable.ShortQuotes(answer))
	return ok
}

// notifySettings takes a notify exporter out of a Collector configuration.
func notifySettings(file, name string) (*confmap.Conf, error) {
	conf, err := resolve(file)
	if err != nil {
		return nil, err
	}
	exporters, err := conf.Sub("exporters")
	if err != nil {
		return nil, err
	}
	var found []string
	for key := range exporters.ToStringMap() {
		var id component.ID
		if id.UnmarshalText([]byte(key)) == nil && id.Type().String() == "notify" && (name == "" || name == key) {
			found = append(found, key)
		}
	}
	slices.Sort(found)
	switch {
	case len(found) == 0 && name != "":
		return nil, fmt.Errorf("there is no exporter %q of type notify", name)
	case len(found) == 0:
		return nil, fmt.Errorf("no notify exporter in this configuration")
	case len(found) > 1:
		return nil, fmt.Errorf("there are several notify exporters: name one of them with --component (%s)", strings.Join(found, ", "))
	}
	return exporters.Sub(found[0])
}
