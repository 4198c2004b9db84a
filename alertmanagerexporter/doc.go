// Package alertmanagerexporter is the Alertmanager exporter: it turns the records of the alert processor and connector into alerts of
// Alertmanager's API v2 that fire and resolve.
//
// Records come once, on a change; Alertmanager wants to hear again and again that an alert is still firing. Between the two stands a
// table (table.go) of what is firing and what has just ended. ConsumeLogs brings the table up to date and only then puts the records
// into the sending queue; what is posted is always what the table says at that moment, never what a record said when it came. So
// retries, duplicates and an Alertmanager that was away cannot bring back what is over.
package alertmanagerexporter

//go:generate go tool mdatagen metadata.yaml
