// Package alertconnector is the alert connector: rules watch the metrics of the pipelines that it ends, and what they decide
// starts the logs pipelines that list it as a receiver, as log records.
package alertconnector

//go:generate go tool mdatagen metadata.yaml
