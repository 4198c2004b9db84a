package hostpageexporter

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/confignet"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-psutil/otelcol-psutil/hostpageexporter/internal/history"
	"github.com/otelcol-psutil/otelcol-psutil/internal/confkeys"
)

const defaultEndpoint = "localhost:9465"

// Config is the configuration of the exporter.
type Config struct {
	// ServerConfig says where the page is served.
	ServerConfig confighttp.ServerConfig `mapstructure:",squash"`
	// AllowedHosts are the names by which the page may be asked for, beyond localhost, the endpoint's, and IP addresses.
	AllowedHosts []string `mapstructure:"allowed_hosts"`
	// AllowAnonymous lets everybody who reaches the endpoint see the page, where that is not this host alone.
	AllowAnonymous bool `mapstructure:"allow_anonymous"`
	// FrameAncestors are the origins of pages that may embed this one.
	FrameAncestors []string `mapstructure:"frame_ancestors"`
	// CommandLines shows the command lines of processes, if the receiver sends them.
	CommandLines bool `mapstructure:"command_lines"`
	// Viewers bounds the event streams.
	Viewers int `mapstructure:"viewers"`
	// CollectorMetrics is where the Collector's own metrics are, in Prometheus' format: they say in /health how the other components are.
	CollectorMetrics configoptional.Optional[confighttp.ClientConfig] `mapstructure:"collector_metrics"`
	// AcceptExternalRecords shows alert records that the engine of this process did not make, too.
	AcceptExternalRecords bool `mapstructure:"accept_external_records"`
	// History bounds what is kept.
	History HistoryConfig `mapstructure:"history"`
}

// HistoryConfig bounds what is kept, in memory and time.
type HistoryConfig struct {
	MaxMemory ByteSize `mapstructure:"max_memory"`
	// Directory is where the history is saved, so that it outlives a restart. Empty: nowhere.
	Directory string `mapstructure:"directory"`
	// SaveInterval is how often it is saved, besides when the page stops.
	SaveInterval time.Duration `mapstructure:"save_interval"`
	MaxSeries    int           `mapstructure:"max_series"`
	// Tiers are the resolutions of series, from the finest.
	Tiers []TierConfig `mapstructure:"tiers"`
	// Processes are the resolutions of process tables.
	Processes ProcessesConfig `mapstructure:"processes"`
}

// TierConfig is one resolution.
type TierConfig struct {
	Every time.Duration `mapstructure:"every"`
	Keep  time.Duration `mapstructure:"keep"`
}

// ProcessesConfig says for how long every process table is kept, and what of them after that.
type ProcessesConfig struct {
	Keep time.Duration    `mapstructure:"keep"`
	Then ThinTablesConfig `mapstructure:"then"`
}

// ThinTablesConfig keeps the busiest table of each interval, with its first rows.
type ThinTablesConfig struct {
	Every time.Duration `mapstructure:"every"`
	Keep  time.Duration `mapstructure:"keep"`
	Top   int           `mapstructure:"top"`
}

// ByteSize is a number of bytes, written as in 48MiB.
type ByteSize int64

var byteUnits = []struct {
	name string
	size float64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1}}

// UnmarshalText reads a number with a unit.
func (b *ByteSize) UnmarshalText(text []byte) error {
	for _, unit := range byteUnits {
		number, found := strings.CutSuffix(string(text), unit.name)
		if !found {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(v) || v < 0 || v*unit.size > 1<<50 {
			break
		}
		*b = ByteSize(v * unit.size)
		return nil
	}
	return fmt.Errorf("%q is not a size such as 48MiB", text)
}

// MarshalText writes the size in bytes.
func (b ByteSize) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(b), 10), nil }

func createDefaultConfig() component.Config {
	server := confighttp.NewDefaultServerConfig()
	server.NetAddr.Endpoint = defaultEndpoint
	d := history.DefaultConfig()
	h := HistoryConfig{MaxMemory: ByteSize(d.MaxMemory), MaxSeries: d.MaxSeries, SaveInterval: 15 * time.Minute}
	for _, t := range d.Tiers {
		h.Tiers = append(h.Tiers, TierConfig(t))
	}
	h.Processes = ProcessesConfig{Keep: d.Tables[0].Keep, Then: ThinTablesConfig(d.Tables[1])}
	client := confighttp.NewDefaultClientConfig()
	client.Endpoint = "http://localhost:8888/metrics"
	return &Config{ServerConfig: server, Viewers: 8, History: h, CollectorMetrics: configoptional.Default(client)}
}

// Unmarshal decodes the configuration. It is written out because the embedded server config would let unknown keys pass.
func (c *Config) Unmarshal(conf *confmap.Conf) error {
	if err := confkeys.Check(conf, c); err != nil {
		return err
	}
	return conf.Unmarshal(c)
}

func (c *Config) store() history.Config {
	h := history.Config{MaxMemory: int64(c.History.MaxMemory), MaxSeries: c.History.MaxSeries, CommandLines: c.CommandLines}
	for _, t := range c.History.Tiers {
		h.Tiers = append(h.Tiers, history.Tier(t))
	}
	h.Tables = []history.TableTier{{Keep: c.History.Processes.Keep}, history.TableTier(c.History.Processes.Then)}
	return h
}

// Validate finds what is wrong with the configuration.
func (c *Config) Validate() error {
	var errs []error
	if c.ServerConfig.NetAddr.Endpoint == "" {
		errs = append(errs, fmt.Errorf("endpoint is required, such as %s", defaultEndpoint))
	} else if !c.private() {
		errs = append(errs, fmt.Errorf("endpoint %q: everybody who reaches it would see the processes and alerts of this host; "+
			"use localhost, or set auth to an authenticator, or, if that is what you want, set allow_anonymous: true", c.ServerConfig.NetAddr.Endpoint))
	}
	if c.ServerConfig.CORS.HasValue() {
		errs = append(errs, errors.New("cors is not possible: no page of another origin may read this one"))
	}
	for _, name := range c.AllowedHosts {
		if name == "" || strings.ContainsAny(name, "/:*? ") {
			errs = append(errs, fmt.Errorf("allowed_hosts: %q is not a host name, such as web1.example.com, without port or wildcard", name))
		}
	}
	for _, origin := range c.FrameAncestors {
		if origin == "" || strings.ContainsAny(origin, ";, \t\r\n") {
			errs = append(errs, fmt.Errorf("frame_ancestors: %q is not an origin, such as https://wiki.example.com", origin))
		}
	}
	if c.Viewers < 1 || c.Viewers > 1000 {
		errs = append(errs, errors.New("viewers must be from 1 to 1000"))
	}
	if c.History.SaveInterval < time.Minute {
		errs = append(errs, errors.New("history: save_interval must be at least 1m"))
	}
	if err := c.store().Validate(); err != nil {
		errs = append(errs, fmt.Errorf("history: %w", err))
	}
	return errors.Join(errs...)
}

// private tells whether nobody but this host, and who is known, sees the page. Or else that was asked for.
func (c *Config) private() bool {
	if c.AllowAnonymous || c.ServerConfig.Auth.HasValue() || c.ServerConfig.NetAddr.Transport == confignet.TransportTypeUnix {
		return true
	}
	host, _, err := net.SplitHostPort(c.ServerConfig.NetAddr.Endpoint)
	if err != nil {
		return true // Listening will say what is wrong.
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
