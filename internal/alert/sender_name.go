package alert

import (
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// maxQuoted bounds what a message quotes of a sender's data, in bytes.
const maxQuoted = 64

// senderName names who sends, for messages: "host.name db1".
func senderName(resource []attr.Attr) string {
	if key, name := rules.Sender(resource); key != "" {
		return key + " " + alertschema.CutText(name, maxQuoted)
	}
	return "a sender without host.name"
}

// ofSender names who sends, as part of a sentence: " of host.name db1", or "" when the resource does not say.
func ofSender(resource []attr.Attr) string {
	if key, _ := rules.Sender(resource); key == "" {
		return ""
	}
	return " of " + senderName(resource)
}
