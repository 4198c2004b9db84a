// Package event holds the records that the alert engine makes: their content, their stored form, and the outbox in which they wait for
// delivery. What they look like to a reader is in package alertschema.
package event
