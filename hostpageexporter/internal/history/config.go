package history

import (
	"errors"
	"fmt"
	"time"
)

// Config bounds what a store keeps.
type Config struct {
	// MaxMemory bounds the bytes of blocks, series and tables together.
	MaxMemory int64
	// MaxSeries bounds the number of series; each may take seriesReserve bytes.
	MaxSeries int
	// Tiers, from the finest. Every of the finest says for which interval it is made; it keeps what comes.
	Tiers []Tier
	// Tables are the tiers of process tables. Every of the first is 0: it keeps all.
	Tables []TableTier
	// CommandLines says whether tables keep the command lines that come.
	CommandLines bool
}

// Tier is one resolution.
type Tier struct{ Every, Keep time.Duration }

// TableTier is one resolution of process tables. Top bounds the rows of a table; 0 keeps all.
type TableTier struct {
	Every, Keep time.Duration
	Top         int
}

// DefaultConfig returns what suits a host with a thousand series.
func DefaultConfig() Config {
	return Config{
		MaxMemory: 48 << 20,
		MaxSeries: 5000,
		Tiers: []Tier{
			{Every: time.Second, Keep: time.Hour},
			{Every: 15 * time.Second, Keep: 24 * time.Hour},
			{Every: 5 * time.Minute, Keep: 7 * 24 * time.Hour},
		},
		Tables: []TableTier{{Keep: time.Hour}, {Every: 15 * time.Second, Keep: 24 * time.Hour, Top: 25}},
	}
}

const (
	minMemory = 4 << 20
	maxTiers  = 4
	minEvery  = 100 * time.Millisecond
	maxKeep   = 400 * 24 * time.Hour
	// seriesReserve is what the open blocks of a series in all tiers, and the series itself, may come to take.
	seriesReserve = 4 << 10
)

// Validate finds what is wrong, naming keys as the configuration of the exporter has them.
func (c Config) Validate() error {
	var errs []error
	if c.MaxMemory < minMemory {
		errs = append(errs, fmt.Errorf("max_memory must be at least %d MiB", minMemory>>20))
	}
	if c.MaxSeries < 1 {
		errs = append(errs, errors.New("max_series must be at least 1"))
	} else if int64(c.MaxSeries) > c.MaxMemory/2/seriesReserve {
		errs = append(errs, fmt.Errorf("max_series %d needs a max_memory of at least %d MiB, %d KiB a series in half of it",
			c.MaxSeries, (int64(c.MaxSeries)*2*seriesReserve+1<<20-1)>>20, seriesReserve>>10))
	}
	if len(c.Tiers) < 1 || len(c.Tiers) > maxTiers {
		errs = append(errs, fmt.Errorf("tiers: from 1 to %d are possible", maxTiers))
	}
	for i, t := range c.Tiers {
		errs = append(errs, checkTier(fmt.Sprintf("tiers[%d]", i), t.Every, t.Keep, minEvery))
		if i > 0 && (t.Every <= c.Tiers[i-1].Every || c.Tiers[i-1].Every > 0 && t.Every%c.Tiers[i-1].Every != 0) {
			errs = append(errs, fmt.Errorf("tiers[%d]: every must be a multiple of that of the tier before", i))
		}
	}
	for i, t := range c.Tables {
		least := time.Second
		if i == 0 {
			least = 0
		}
		errs = append(errs, checkTier([]string{"processes", "processes::then"}[min(i, 1)], t.Every, t.Keep, least))
		if t.Top < 0 || i > 0 && t.Top == 0 {
			errs = append(errs, errors.New("processes::then: top must be at least 1"))
		}
	}
	return errors.Join(errs...)
}

func checkTier(key string, every, keep, least time.Duration) error {
	switch {
	case every < least:
		return fmt.Errorf("%s: every must be at least %s", key, least)
	case keep < every || keep < time.Minute || keep > maxKeep:
		return fmt.Errorf("%s: keep must be from 1m to %dh, and at least every", key, int(maxKeep/time.Hour))
	default:
		return nil
	}
}
