package hostpageexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"
)

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	var raw map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text), &raw))
	cfg := createDefaultConfig().(*Config)
	return cfg, confmap.NewFromStringMap(raw).Unmarshal(&cfg)
}

func TestConfig(t *testing.T) {
	cfg, err := load(t, `
endpoint: 0.0.0.0:80
allow_anonymous: true
allowed_hosts: [web1.example.com]
frame_ancestors: [https://wiki.example.com]
command_lines: true
viewers: 2
history:
  max_memory: 64MiB
  max_series: 1000
  tiers: [{every: 1s, keep: 2h}, {every: 1m, keep: 48h}]
  processes: {keep: 2h, then: {every: 30s, keep: 12h, top: 10}}
`)
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	assert.Equal(t, "0.0.0.0:80", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, ByteSize(64<<20), cfg.History.MaxMemory)
	assert.Equal(t, []TierConfig{{time.Second, 2 * time.Hour}, {time.Minute, 48 * time.Hour}}, cfg.History.Tiers)
	assert.Equal(t, ProcessesConfig{2 * time.Hour, ThinTablesConfig{30 * time.Second, 12 * time.Hour, 10}}, cfg.History.Processes)

	cfg, err = load(t, `{}`)
	require.NoError(t, err)
	require.NoError(t, cfg.Validate())
	assert.Equal(t, "localhost:9465", cfg.ServerConfig.NetAddr.Endpoint)
	assert.Equal(t, ByteSize(48<<20), cfg.History.MaxMemory)
	assert.Equal(t, []TierConfig{{time.Second, time.Hour}, {15 * time.Second, 24 * time.Hour}, {5 * time.Minute, 168 * time.Hour}}, cfg.History.Tiers)
}

func TestWideBind(t *testing.T) {
	for endpoint, private := range map[string]bool{
		"localhost:9465": true, "LOCALHOST:0": true, "127.0.0.1:9465": true, "127.9.9.9:1": true, "[::1]:9465": true, "[::ffff:127.0.0.1]:1": true,
		":9465": false, "0.0.0.0:9465": false, "[::]:9465": false, "10.0.0.1:9465": false, "web1:9465": false, "[::ffff:10.0.0.1]:1": false,
		"localhost.example.com:1": false,
	} {
		cfg, err := load(t, "endpoint: '"+endpoint+"'")
		require.NoError(t, err)
		if err = cfg.Validate(); private {
			require.NoError(t, err, endpoint)
		} else {
			require.ErrorContains(t, err, "use localhost, or set auth to an authenticator, or, if that is what you want, set allow_anonymous: true", endpoint)
		}
		for _, open := range []string{"allow_anonymous: true", "auth: {authenticator: bearertokenauth}", "transport: unix", "tls: {cert_file: a, key_file: b}\nallow_anonymous: true\nresponse_headers: {X-A: b}\nkeepalive: {idle_timeout: 5s}"} {
			cfg, err = load(t, "endpoint: '"+endpoint+"'\n"+open)
			require.NoError(t, err)
			require.NoError(t, cfg.Validate(), "%s with %s", endpoint, open)
		}
	}
}

func TestWrongConfig(t *testing.T) {
	for text, want := range map[string]string{
		"endpoint: ''":                                                     "endpoint is required",
		"cors: {allowed_origins: ['*']}":                                   "cors is not possible",
		"allowed_hosts: ['web1:80']":                                       `allowed_hosts: "web1:80" is not a host name`,
		"allowed_hosts: ['*']":                                             `allowed_hosts: "*" is not a host name`,
		"frame_ancestors: [\"x; script-src *\"]":                           "is not an origin",
		"viewers: 0":                                                       "viewers must be",
		"history: {max_memory: 1MiB}":                                      "max_memory must be at least 4 MiB",
		"history: {max_series: 20000}":                                     "max_series 20000 needs a max_memory of at least 157 MiB",
		"history: {max_series: 0}":                                         "max_series must be at least 1",
		"history: {tiers: []}":                                             "tiers: from 1 to 4",
		"history: {tiers: [{every: 1s, keep: 1s}]}":                        "tiers[0]: keep must be from 1m",
		"history: {tiers: [{every: 1ms, keep: 1h}]}":                       "tiers[0]: every must be at least 100ms",
		"history: {tiers: [{every: 2s, keep: 1h}, {every: 5s, keep: 1h}]}": "tiers[1]: every must be a multiple",
		"history: {processes: {keep: 1s}}":                                 "processes: keep must be",
		"history: {processes: {then: {top: 0}}}":                           "top must be at least 1",
		"history: {max_memory: lots}":                                      `"lots" is not a size such as 48MiB`,
		"history: {max_memory: -1MiB}":                                     "is not a size",
		"history: {max_memory: NaN}":                                       "is not a size",
		"histroy: {}":                                                      `unknown key "histroy"`,
		"tls: {cert_flie: x}":                                              `tls: unknown key "cert_flie"`,
		"history: {max_memroy: 1}":                                         "max_memroy",
	} {
		cfg, err := load(t, text)
		if err == nil {
			err = cfg.Validate()
		}
		require.ErrorContains(t, err, want, text)
	}
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]ByteSize{
		"48MiB": 48 << 20, "1.5 GiB": 3 << 29, "2kB": 2000, "7B": 7, "123": 123, "3MB": 3e6, "1GB": 1e9, "4KiB": 4096,
	} {
		var b ByteSize
		require.NoError(t, b.UnmarshalText([]byte(text)))
		assert.Equal(t, want, b, text)
		out, _ := b.MarshalText()
		var back ByteSize
		require.NoError(t, back.UnmarshalText(out))
		assert.Equal(t, b, back)
	}
	cfg, err := load(t, "history: {max_memory: 67108864}")
	require.NoError(t, err)
	assert.Equal(t, ByteSize(64<<20), cfg.History.MaxMemory)
	assert.Error(t, new(ByteSize).UnmarshalText([]byte(strings.Repeat("9", 400))))
}
