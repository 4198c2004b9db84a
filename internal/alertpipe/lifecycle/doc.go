// Package lifecycle runs the alert processor and the alert connector inside the Collector's own service, whose graph starts and stops
// their nodes. It has nothing but tests.
package lifecycle
