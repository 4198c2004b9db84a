package confkeys

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"
)

type common struct {
	Interval time.Duration `mapstructure:"interval"`
}

type timing struct {
	Every *time.Duration  `mapstructure:"every"`
	All   []time.Duration `mapstructure:"all"`
	Last  string          `mapstructure:"last" confkeys:"duration"`
}

type level struct {
	Above any   `mapstructure:"above"`
	Ratio *pair `mapstructure:"ratio"`
}

type pair struct {
	Of string `mapstructure:"of"`
	To string `mapstructure:"to"`
}

type output struct {
	SendResolved bool `mapstructure:"send_resolved"`
}

type settings struct {
	common   `mapstructure:",squash"`
	Storage  *component.ID                  `mapstructure:"storage"`
	Scraper  configoptional.Optional[pair]  `mapstructure:"scraper"`
	Levels   map[string]level               `mapstructure:"levels"`
	List     []level                        `mapstructure:"list"`
	Match    map[string]any                 `mapstructure:"match"`
	Names    []string                       `mapstructure:"names"`
	Send     output                         `mapstructure:"send"`
	Internal int                            `mapstructure:"-"`
	Optional configoptional.Optional[[]int] `mapstructure:"optional"`
}

func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"all known": {`
interval: 5s
storage: file_storage/a
scraper: {of: a, to: b}
levels: {warning: {above: 1, ratio: {of: x}}, critical: }
list: [{above: {free: form}}, {}]
match: {any: {key: 1}, at: [all]}
names: [a]
optional: [1]
`, ""},
		"a block without anything": {`scraper:`, ""},
		"unknown":                  {`intervall: 5s`, `unknown key "intervall" (did you mean "interval"?)`},
		"renamed":                  {`send: {resolved: true}`, `send: unknown key "resolved" (it is called "send_resolved" now)`},
		"not for users":            {`Internal: 1`, `unknown key "Internal" (did you mean "interval"?)`},
		"of an optional block":     {`scraper: {form: a}`, `scraper: unknown key "form" (known: of, to)`},
		"in a map":                 {`levels: {warning: {over: 1}}`, `levels::warning: unknown key "over" (known: above, ratio)`},
		"behind a pointer":         {`levels: {warning: {ratio: {by: 1}}}`, `levels::warning::ratio: unknown key "by" (known: of, to)`},
		"of the block around":      {`levels: {warning: {storage: a}}`, `levels::warning: unknown key "storage": its place is beside "levels", not in it`},
		"of a block farther out":   {`list: [{ratio: {interval: 5s}}]`, `list[0]::ratio: unknown key "interval": its place is beside "list", not in it`},
		"a block for a list":       {`list: {above: 1}`, `list is a block of keys: it must be a list, each entry of it behind "- "`},
		"outer keys for a list":    {`list: {storage: a}`, `list is a block of keys: it must be a list, each entry of it behind "- "; the place of "storage" is beside "list", not in it`},
		"a word for a list":        {`list: above`, `list is above: it must be a list, each entry of it a block of keys behind "- "`},
		"in a list":                {`list: [{}, {abvoe: 1}]`, `list[1]: unknown key "abvoe" (did you mean "above"?)`},
		"not a block":              {`scraper: 5`, `scraper is 5: it must be a block of keys; allowed are of, to`},
		"not a block in a list":    {`list: [true]`, `list[0] is true: it must be a block of keys; allowed are above, ratio`},
		"several": {`
levels: {b: {x: 1}, a: {x: 1}}
zzzzzzzz: 1
`, "levels::a: unknown key \"x\" (known: above, ratio)\nlevels::b: unknown key \"x\" (known: above, ratio)\n" +
			`unknown key "zzzzzzzz" (known: interval, levels, list, match, names, optional, scraper, send, storage)`},
		// This is wrong, and the decoder says so.
		"a list for a block": {`scraper: [1]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			conf, err := confmap.NewRetrievedFromYAML([]byte(tt.text))
			require.NoError(t, err)
			parsed, err := conf.AsConf()
			require.NoError(t, err)
			err = Check(parsed, &settings{})
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestDurationsHaveAUnit(t *testing.T) {
	type block struct {
		common  `mapstructure:",squash"`
		Timings map[string]timing               `mapstructure:"timings"`
		Timing  configoptional.Optional[timing] `mapstructure:"timing"`
	}
	assert.Equal(t, []string{
		"interval", "timing::all[0]", "timing::every", "timing::last", "timings::*::all[0]", "timings::*::every", "timings::*::last",
	}, Durations(reflect.TypeFor[block]()))
	for text, want := range map[string]string{
		"interval: 30":                    "interval is 30: a duration has a unit, as in 30s",
		"interval: '30'":                  "interval is 30: a duration has a unit, as in 30s",
		"interval: 1.5":                   "interval is 1.5: a duration has a unit, as in 1.5s",
		"interval: -30":                   "interval is -30: a duration has a unit, as in 30s",
		"timing: {every: 5}":              "timing::every is 5: a duration has a unit, as in 5s",
		"timings: {a: {all: [1s, 2, 0]}}": "timings::a::all[1] is 2: a duration has a unit, as in 2s",
		"timing: {last: 60}":              "timing::last is 60: a duration has a unit, as in 60s",
		"{interval: 0, timing: {every: 0s, last: auto}}": "",
		"{interval: 1m30s, timing: , unknown: 1}":        "",
	} {
		conf, err := confmap.NewRetrievedFromYAML([]byte(text))
		require.NoError(t, err)
		parsed, err := conf.AsConf()
		require.NoError(t, err)
		if err := CheckDurations(parsed, &block{}); want == "" {
			assert.NoError(t, err, text)
		} else {
			assert.EqualError(t, err, want, text)
		}
	}
}

func TestOf(t *testing.T) {
	assert.Equal(t, []string{"interval", "levels", "list", "match", "names", "optional", "scraper", "send", "storage"}, Of(reflect.TypeFor[settings]()))
}
