package alertschema

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// AlertID identifies an alert permanently: a hash of the rule's name and the encoded group key, the same in every process.
func AlertID(rule, groupKey string) uint64 {
	var b []byte
	for _, text := range [...]string{rule, groupKey} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	sum := sha256.Sum256(b)
	return binary.BigEndian.Uint64(sum[:])
}

// IDText is the text of an alert ID, the value of KeyAlertID: 16 hex digits.
func IDText(id uint64) string { return fmt.Sprintf("%016x", id) }

// EpisodeID identifies one episode of an alert, the value of KeyEpisodeID: a hash of the alert's ID and of the event time at which it
// fired, in nanoseconds since the epoch, so that replicas which saw the same data agree.
func EpisodeID(alert uint64, started int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], alert)
	binary.BigEndian.PutUint64(b[8:], uint64(started))
	sum := sha256.Sum256(b[:])
	return hex.EncodeToString(sum[:8])
}

// RecordUID identifies the record of a transition, the value of KeyRecordUID. Occurrence is the number of the transition in the episode.
func RecordUID(episode string, occurrence int) string {
	return fmt.Sprintf("%s-%d", episode, occurrence)
}

// RepeatUID identifies a repetition, the n-th of its episode, after the transition of the given number.
func RepeatUID(episode string, occurrence, n int) string {
	return fmt.Sprintf("%s-r%d", RecordUID(episode, occurrence), n)
}

// BelatedUID identifies the record of what was held back when it happened. The number itself may be that of a later transition, which was
// not held back.
func BelatedUID(episode string, occurrence int) string { return RecordUID(episode, occurrence) + "-b" }

// TimeText is the text of a time, the value of KeyStartedAt and KeyEndedAt. The time is in nanoseconds since the epoch.
func TimeText(t int64) string { return time.Unix(0, t).UTC().Format(time.RFC3339Nano) }

// ParseTime is the inverse of TimeText; 0 when the text is no time.
func ParseTime(text string) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// volatileKeys are resource attributes that change while the thing that they describe stays the same.
var volatileKeys = []string{"service.instance.id", "host.ip", "host.mac", "os.description"}

// IdentifiesResource tells whether a resource attribute says which thing an alert on a metric is about, where neither group_by nor entity
// references of the resource say otherwise. Such attributes are part of the alert's group.
func IdentifiesResource(key, metric string) bool {
	switch {
	case strings.HasPrefix(key, "telemetry."), slices.Contains(volatileKeys, key):
		return false
	case strings.HasPrefix(key, "process."):
		return strings.HasPrefix(metric, "process.")
	default:
		return true
	}
}
