package alertpipe

import (
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

// Config is the configuration of the alert processor and of the alert connector.
type Config struct {
	rules.Config `mapstructure:",squash"`

	// Storage is the ID of the storage extension that keeps the state over restarts. Without it only a reload keeps the state.
	Storage *component.ID `mapstructure:"storage"`
	// RuleFiles are globs of files with further rules, relative to the working directory. They are read at start and reload.
	RuleFiles []string `mapstructure:"rule_files"`
	// AcceptExternalRecords lets alert records through the processor that the engine of this process did not make.
	AcceptExternalRecords bool `mapstructure:"accept_external_records"`
}

// DefaultConfig returns the configuration that holds where the operator writes nothing.
func DefaultConfig() *Config { return &Config{Config: rules.DefaultConfig()} }

// Unmarshal decodes the settings. A key that is not known is answered with the one that may have been meant, or with all.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := decode(conf, c); err != nil {
		return err
	}
	block, changed := conf.Get("preset").(map[string]any)
	if !changed {
		return nil
	}
	var preset rules.PresetConfig
	if err := decode(confmap.NewFromStringMap(block), &preset); err != nil {
		return fmt.Errorf("preset: %w", err)
	}
	c.Preset = preset
	return nil
}

// decode decodes settings into a pointer to a struct, and refuses keys that the struct does not have.
func decode(conf *confmap.Conf, into any) error {
	conf, err := confkeys.Spell(conf, into)
	if err != nil {
		return err
	}
	return conf.Unmarshal(into)
}

// Validate reports what is wrong with the rule files, with their rules together with the inline ones, and with silences of them. What is wrong with the
// inline part alone is reported by alert.Config, which the Collector validates as well.
func (c *Config) Validate() error {
	if c.Config.Validate() != nil {
		return nil
	}
	_, err := c.compile()
	return err
}

// compile reads the rule files and the lists of what is expected, and compiles all rules.
func (c *Config) compile() (*rules.Set, error) {
	merged := c.Config
	fromFiles, err := loadRuleFiles(c.RuleFiles)
	if err != nil {
		return nil, err
	}
	merged.Rules, err = loadExpected(append(append([]rules.RuleConfig(nil), c.Rules...), fromFiles...))
	if err != nil {
		return nil, err
	}
	return rules.Compile(merged)
}

// interval is how often the loop lets time decide.
func (c *Config) interval() time.Duration { return c.EvaluationInterval }
