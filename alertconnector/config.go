package alertconnector

import "github.com/otelcol-psutil/otelcol-psutil/internal/alertpipe"

// Config is the configuration of an alert connector; that of the alert processor is the same.
type Config = alertpipe.Config
