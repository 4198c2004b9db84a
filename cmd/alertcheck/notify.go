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
	var all struct {
		Exporters map[string]settings `mapstructure:"exporters"`
	}
	if err := conf.Unmarshal(&all, confmap.WithIgnoreUnused()); err != nil {
		return nil, oneLine(err)
	}
	var found []string
	for key := range all.Exporters {
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
	if of := all.Exporters[found[0]].conf; of != nil {
		return of, nil
	}
	return confmap.New(), nil
}

// settings are those of a component, as its own decoder gets them: digits that stood in a variable may be text.
type settings struct{ conf *confmap.Conf }

// Unmarshal keeps the configuration.
func (s *settings) Unmarshal(conf *confmap.Conf) error { //nolint:unparam // confmap.Unmarshaler.
	s.conf = conf
	return nil
}
