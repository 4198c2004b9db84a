package main

// config is the collector under test: two receivers at one-second intervals, rules, and every exporter. The addresses are of the sinks.
const config = `
receivers:
  psutil:
    collection_interval: 1s
    scrapers:
      {cpu: {per_cpu: true}, load: {}, memory: {}, paging: {}, disk: {partitions: true}, filesystem: {}, network: {virtual: true}, connections: {}, pressure: {},
       sensors: {}, processes: {}, system: {}, process: {collection_interval: 1s}}
  psutil/deltas:
    collection_interval: 1s
    temporality: delta
    rates: {enabled: true}
    sampling: {interval: 100ms}
    scrapers:
      {cpu: {}, load: {}, memory: {}, paging: {}, disk: {}, filesystem: {}, network: {}, pressure: {}, processes: {}, system: {},
       process: {collection_interval: 1s, top: {n: 0}, cpu_window: 10}}

connectors:
  alert:
    preset: {host: {override: {cpu: {for: 0s}, memory: {for: 0s}}}}
    storage: file_storage
    evaluation_interval: 1s
    limits: {events_per_minute: 10000, alerts_per_rule: 5000}
    defaults: {stale_series_after: 2m, no_data: {after: 1m, action: resolve}}
    rules:
      # The host may have no swap, and a rule that matches nothing is warned of.
      - {name: swap, metric: system.paging.faults, window: 10s, aggregate: rate, thresholds: {warning: {above: 1000000}}}
      - {name: busy_process, metric: process.cpu.utilization, match: {cpu.mode: user}, window: 5s, aggregate: avg,
         thresholds: {warning: {above: 50%}}}
      - {name: forks, metric: system.process.created, window: 10s, aggregate: rate, thresholds: {warning: {above: 20, clear: 10}}}
      - {name: young_process, metric: process.memory.usage, match: {resource: {process.executable.name: {regex: "sleep|coreutils"}}},
         thresholds: {warning: {above: 0}}}

exporters:
  prometheus:
    endpoint: 127.0.0.1:${env:PROMETHEUS_PORT}
    resource_constant_labels: {included: ["*"]}
    metric_expiration: 90s
  prometheus_remote_write:
    http: {endpoint: "${env:HTTP_SINK}/api/v1/write"}
    resource_constant_labels: {included: ["*"]}
  influxdb:
    endpoint: ${env:HTTP_SINK}
    v1_compatibility: {enabled: true, db: hosts}
  otlp_grpc: {endpoint: "${env:GRPC_SINK}", tls: {insecure: true}, sending_queue: {storage: file_storage}}
  otlp_http: {endpoint: "${env:HTTP_SINK}"}
  alertmanager: {endpoint: "${env:HTTP_SINK}", storage: file_storage}
  file: {path: metrics.jsonl, rotation: {max_megabytes: 10, max_backups: 2}}
  file/alerts: {path: alerts.jsonl, rotation: {max_megabytes: 10, max_backups: 2}}
  debug: {verbosity: detailed, use_internal_logger: false}

extensions:
  file_storage:
    directory: state
    create_directory: true
    compaction: {on_start: true, on_rebound: true, directory: state}
  pprof: {endpoint: "127.0.0.1:${env:PPROF_PORT}"}

service:
  extensions: [file_storage, pprof]
  telemetry: {logs: {level: warn}}
  pipelines:
    metrics: {receivers: [psutil], exporters: [prometheus, prometheus_remote_write, influxdb, otlp_grpc, alert]}
    metrics/deltas: {receivers: [psutil/deltas], exporters: [otlp_http, file, debug]}
    logs/alerts: {receivers: [alert], exporters: [otlp_grpc, otlp_http, alertmanager, file/alerts, debug]}
`
