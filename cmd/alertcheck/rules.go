package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"
	"github.com/otelcol-psutil/otelcol-psutil/internal/boundedfile"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
	"github.com/otelcol-psutil/otelcol-psutil/internal/printable"
)

// source is one set of alert settings and where it stands.
type source struct {
	// name is the component, as in connectors::alert/x; empty for a rules file.
	name   string
	config *alertpipe.Config
	// beside are the keys of a rules file other than rules. As settings they are fine; rule_files takes no file that has any.
	beside []string
}

// document is a rules file or a Collector configuration.
type document struct {
	sources   []source
	collector *confmap.Conf // Nil for a rules file.
}

// checkRules validates the files and says what is wrong with each. A Collector configuration need not have alerts: it is checked before
// a reload, whatever stands in it. With strict a warning is an error.
func checkRules(files []string, strict bool, stdout, stderr io.Writer) int {
	status := ok
	for _, file := range files {
		doc, err := readDocument(file)
		report(stderr, file, "", err)
		for _, s := range doc.sources {
			rules, problem := s.config.Compile()
			from := feeders{others: true}
			if problem == nil {
				var warnings []string
				if doc.collector != nil {
					from = feedersOf(doc.collector, s.name)
				}
				warnings, problem = checkMetrics(rules, from.inOldForm())
				warnings = slices.Concat(rules.Warnings, rules.PastSilences(time.Now().UnixNano()), warnings)
				warnings = append(warnings, checkEmitted(&from, rules)...)
				for _, w := range warnings {
					fmt.Fprintf(stderr, "%s: warning: %s\n", place(file, s.name), w)
				}
				if strict && len(warnings) > 0 {
					status = failed
				}
			}
			report(stderr, file, s.name, problem)
			err = errors.Join(err, problem)
			if problem == nil {
				fmt.Fprintf(stdout, "%s: %s%s\n", place(file, s.name), count(len(rules.Names()), "rule"), s.note())
				printHints(stdout, place(file, s.name), rules)
				if !from.inOldForm() {
					printOldNames(stdout, place(file, s.name), rules)
				}
			}
		}
		if doc.collector != nil {
			problem := checkStorages(doc.collector)
			report(stderr, file, "", problem)
			err = errors.Join(err, problem)
		}
		switch {
		case err != nil:
			status = failed
		case len(doc.sources) == 0:
			fmt.Fprintf(stdout, "%s: %s\n", file, noAlerts)
		}
	}
	return status
}

const noAlerts = "no alert processor or connector in this configuration"

// note says what a file that is fine as settings is no good for.
func (s *source) note() string {
	if len(s.beside) == 0 {
		return ""
	}
	return fmt.Sprintf(" (settings, not for rule_files: beside rules it has %s)", strings.Join(s.beside, ", "))
}

// report prints an error, a line for each problem in it.
func report(w io.Writer, file, name string, err error) {
	if err == nil {
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(w, "%s: %s\n", place(file, name), printable.ShortQuotes(line))
	}
}

func place(file, name string) string {
	if name == "" {
		return file
	}
	return file + ": " + name
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// readDocument reads a rules file, or a Collector configuration with its alert processors and connectors. What it could read is returned
// beside the error.
func readDocument(file string) (document, error) {
	raw, err := readYAML(file)
	if err != nil {
		return document{}, err
	}
	if !isCollectorConfig(raw) {
		config, err := decodeConfig(confmap.NewFromStringMap(raw))
		if err != nil {
			return document{}, err
		}
		beside := slices.DeleteFunc(slices.Sorted(maps.Keys(raw)), func(key string) bool { return key == "rules" })
		return document{sources: []source{{config: config, beside: beside}}}, nil
	}
	conf, err := resolve(file)
	if err != nil {
		return document{}, err
	}
	sources, err := alertComponents(conf)
	return document{sources, conf}, err
}

// alertComponents takes the alert processors and connectors out of a Collector configuration.
func alertComponents(conf *confmap.Conf) ([]source, error) {
	raw := conf.ToStringMap()
	var sources []source
	var errs []error
	for _, kind := range []string{"processors", "connectors"} {
		components, _ := raw[kind].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(components)) {
			if componentType, _, _ := strings.Cut(id, "/"); componentType != "alert" {
				continue
			}
			name := kind + "::" + id
			if _, isMap := components[id].(map[string]any); !isMap && components[id] != nil {
				errs = append(errs, fmt.Errorf("%s: expected settings, got %v", name, components[id]))
				continue
			}
			settings, err := conf.Sub(name) // Not out of raw, where a variable that reads as a number is no longer text.
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				continue
			}
			config, err := decodeConfig(settings)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
				continue
			}
			sources = append(sources, source{name: name, config: config})
		}
	}
	return sources, errors.Join(errs...)
}

// pickSource returns the settings of the file's only alert component, or of the named one.
func pickSource(file, component string) (*alertpipe.Config, error) {
	doc, err := readDocument(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.sources) == 0 {
		return nil, fmt.Errorf("%s: %s", file, noAlerts)
	}
	var names []string
	var found []*alertpipe.Config
	for _, s := range doc.sources {
		names = append(names, s.name)
		if _, id, _ := strings.Cut(s.name, "::"); component == "" || component == s.name || component == id {
			found = append(found, s.config)
		}
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("%s: which component? There are %s", file, strings.Join(names, ", "))
	}
	return found[0], nil
}

func isCollectorConfig(raw map[string]any) bool {
	for _, key := range []string{"service", "receivers", "processors", "connectors", "exporters", "extensions"} {
		if _, there := raw[key]; there {
			return true
		}
	}
	return false
}

// maxFile bounds a file of rules, of tests or of settings, in bytes, as the Collector bounds those that a configuration names.
const maxFile = 16 << 20

func readYAML(file string) (map[string]any, error) {
	text, err := boundedfile.Read(file, maxFile)
	if err != nil {
		return nil, fmt.Errorf("reading: %w", errors.Unwrap(err))
	}
	var raw map[string]any
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	if err := confkeys.CheckDepth(raw); err != nil {
		return nil, fmt.Errorf("parsing: %w", err)
	}
	return raw, nil
}

// decodeConfig decodes alert settings as the Collector does: an unknown key is an error.
func decodeConfig(settings *confmap.Conf) (*alertpipe.Config, error) {
	config := alertpipe.DefaultConfig()
	if err := decode(settings, config); err != nil {
		return nil, err
	}
	return config, nil
}

// decode decodes settings and brings what is wrong with them onto one line.
func decode(settings *confmap.Conf, into any) error {
	var err error
	if u, ok := into.(confmap.Unmarshaler); ok {
		err = u.Unmarshal(settings) // Without a place in front, which would be empty.
	} else {
		err = settings.Unmarshal(into)
	}
	if err == nil {
		return nil
	}
	return oneLine(err)
}

// oneLine brings the many lines of a decoder's error onto one.
func oneLine(err error) error {
	var problems []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line != "" && !strings.HasSuffix(line, "the following error(s):") {
			problems = append(problems, line)
		}
	}
	return fmt.Errorf("decoding: %s", strings.Join(problems, "; "))
}
