// Package alertcontext passes what was around an alert, the last hour of its series and the processes of the moment, from whoever has a history in this
// process, such as the page of hostpageexporter, to whoever tells people of alerts. Nothing else passes between the two.
package alertcontext
