package alertpipe

import (
	"errors"
	"fmt"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/boundedfile"
)

// loadExpected reads the files of absent rules that list what is expected, and returns the rules with what they list.
func loadExpected(all []rules.RuleConfig) ([]rules.RuleConfig, error) {
	var errs []error
	out := append([]rules.RuleConfig(nil), all...)
	for i := range out {
		a := out[i].Absent
		if a == nil || a.ExpectedFile == "" {
			continue
		}
		listed, err := readExpected(a.ExpectedFile)
		if err != nil {
			errs = append(errs, fmt.Errorf("rule %q: absent.expected_file: %w", out[i].Name, err))
			continue
		}
		merged := *a
		merged.Expected = append(append([]any(nil), a.Expected...), listed...)
		out[i].Absent = &merged
	}
	return out, errors.Join(errs...)
}

// readExpected reads a list: a value a line, without empty lines and those that begin with "#".
func readExpected(path string) ([]any, error) {
	text, err := boundedfile.Read(path, maxConfiguredFile)
	if err != nil {
		return nil, fmt.Errorf("reading the list: %w", err)
	}
	var listed []any
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			listed = append(listed, line)
		}
	}
	if len(listed) == 0 {
		return nil, fmt.Errorf("%s lists nothing: write a value a line", path)
	}
	return listed, nil
}
