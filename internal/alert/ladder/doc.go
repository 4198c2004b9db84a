// Package ladder is the state machine of one alert: levels with bounds, which of them is in force, for how long a bound must be breached
// before that changes, and the latch on alerts that change too often. It knows no rules, no series and no records.
//
// Times are event times in nanoseconds since the epoch, spans are in nanoseconds.
package ladder
