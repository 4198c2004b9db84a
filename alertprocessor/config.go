package alertprocessor

import "github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"

// Config is the configuration of an alert processor; that of the alert connector is the same.
type Config = alertpipe.Config
