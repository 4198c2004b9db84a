package alertpipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/boundedfile"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// ruleFile is the content of one rule file.
type ruleFile struct {
	Rules []rules.RuleConfig `mapstructure:"rules"`
}

// loadRuleFiles reads the files that match the globs: in the order of the globs, those of one glob in order of name, each once.
func loadRuleFiles(globs []string) ([]rules.RuleConfig, error) {
	var (
		rules []rules.RuleConfig
		read  []string
		errs  []error
	)
	for _, glob := range globs {
		paths, err := filepath.Glob(glob)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("rule_files: %q: %w", glob, err))
		case len(paths) == 0:
			errs = append(errs, fmt.Errorf("rule_files: %q matched no file", glob))
		}
		for _, path := range paths {
			if slices.Contains(read, path) {
				continue
			}
			read = append(read, path)
			more, err := loadRuleFile(path)
			if err != nil {
				errs = append(errs, fmt.Errorf("rule_files: %w", err))
			}
			rules = append(rules, more...)
		}
	}
	return rules, errors.Join(errs...)
}

// maxConfiguredFile bounds a file that the configuration names: tens of thousands of rules, or a million expected values.
const maxConfiguredFile = 16 << 20

func loadRuleFile(path string) ([]rules.RuleConfig, error) {
	text, err := boundedfile.Read(path, maxConfiguredFile)
	if err != nil {
		return nil, fmt.Errorf("reading a rule file: %w", err)
	}
	var raw, more map[string]any
	document := yaml.NewDecoder(bytes.NewReader(text))
	if err := document.Decode(&raw); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	if err := document.Decode(&more); !errors.Is(err, io.EOF) && (err != nil || more != nil) {
		return nil, fmt.Errorf("parsing %s: it holds several YAML documents: put each into a file of its own, or all rules into one list", path)
	}
	if err := confkeys.CheckDepth(raw); err != nil {
		return nil, fmt.Errorf("parsing %s: %w", path, err)
	}
	var file ruleFile
	if err := decode(confmap.NewFromStringMap(raw), &file); err != nil {
		return nil, fmt.Errorf("decoding %s: %w", path, err)
	}
	return file.Rules, nil
}
