package rules

import "github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"

// senderKeys are the resource attributes that name who sends, the first that there is.
var senderKeys = []string{"host.name", "host.id", "service.instance.id", "service.name", "container.id"}

// Sender returns what names who sends a resource, and the key of the attribute that says so: its host, or else what identifies its service or container.
// Both are empty where the resource does not say.
func Sender(resource []attr.Attr) (key, name string) {
	for _, key := range senderKeys {
		if v, ok := attr.Lookup(resource, key); ok {
			if name := v.AsString(); name != "" {
				return key, name
			}
		}
	}
	return "", ""
}
