package crosscheck

import (
	_ "github.com/open-telemetry/opentelemetry-collector-contrib/processor/cumulativetodeltaprocessor"
	_ "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/stream"
	_ "go.opentelemetry.io/collector/processor/processortest"
	_ "go.opentelemetry.io/collector/consumer/consumertest"
	_ "go.opentelemetry.io/collector/component/componenttest"
	_ "github.com/stretchr/testify/require"
)
