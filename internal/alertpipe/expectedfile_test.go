package alertpipe

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
)

// listing returns a configuration of an absent rule that reads its list from a file.
func listing(path string) *Config {
	cfg := DefaultConfig()
	cfg.Rules = []rules.RuleConfig{{
		Name: "gone", Metric: "up", GroupBy: []string{"resource.host.name"}, Severity: "critical",
		Absent: &rules.AbsentConfig{For: time.Minute, Expected: []any{"db0"}, ExpectedFile: path},
	}}
	return cfg
}

func TestExpectedHostsFromAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hosts.txt")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	hosts := func() []string {
		cfg := listing(path)
		require.NoError(t, cfg.Validate())
		set, err := cfg.Compile()
		require.NoError(t, err)
		assert.Equal(t, []any{"db0"}, cfg.Rules[0].Absent.Expected, "the configuration stays as it was written")
		var names []string
		for _, key := range set.Rules[0].ExpectedGroups() {
			located, err := attr.DecodeGroup(key)
			require.NoError(t, err)
			names = append(names, located[0].Value.AsString())
		}
		return names
	}
	write("\ufeff# all of them\r\ndb1\r\n\r\n  db2  \ndb1\n12")
	assert.Equal(t, []string{"db0", "db1", "db2", "12"}, hosts())
	write("db3\n")
	assert.Equal(t, []string{"db0", "db3"}, hosts(), "read again with the configuration")

	write("# none\n")
	require.ErrorContains(t, listing(path).Validate(), `rule "gone": absent.expected_file: `+path+" lists nothing")
	require.ErrorContains(t, listing(path+".old").Validate(), `rule "gone": absent.expected_file: reading the list: open `)
}
