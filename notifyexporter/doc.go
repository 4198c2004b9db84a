// Package notifyexporter is the notify exporter: it tells people of the alerts that the alert processor and connector make, by e-mail, chat, pagers,
// webhooks, the system's log and commands.
//
// ConsumeLogs brings a table (table.go) up to date: what is known of each alert, what was told of it on which channel, and what is still to be told
// there. The table is stored before ConsumeLogs returns, so that what is still to be told is the queue: one for each channel, and none waits for
// another. A worker for each channel (worker.go) sends what is due as messages (message.go), and notes in the table what was told. Channels
// turn a message into what a server wants (channel_*.go).
package notifyexporter

//go:generate go tool mdatagen metadata.yaml
