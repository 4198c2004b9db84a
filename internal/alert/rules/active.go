package rules

import "github.com/otelcol-psutil/otelcol-psutil/internal/schedule"

// ActiveConfig is hours of the day on days of the week.
type ActiveConfig = schedule.Config

// Schedule is a compiled ActiveConfig.
type Schedule = schedule.Schedule

// compileSchedule compiles a block; key is where it stands.
func compileSchedule(key string, c *ActiveConfig, report func(string, ...any)) *Schedule {
	return schedule.Compile(key, c, report)
}
