// Package promapi answers the query routes of Prometheus' HTTP API from the history of a page, by Prometheus' own query engine. So Grafana takes
// the agent as a data source: https://prometheus.io/docs/prometheus/latest/querying/api/.
package promapi
