// Package alertprocessor is the alert processor: rules watch the metrics that pass through the metrics pipelines that list it, and
// what they decide enters the logs pipelines that list the same ID as log records.
package alertprocessor

//go:generate go tool mdatagen metadata.yaml
