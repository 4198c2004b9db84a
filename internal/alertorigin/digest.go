package alertorigin

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// digest is a hash of something in a record.
type digest [16]byte

// placing are the attributes that say which alert a record is about and which record of it this is.
var placing = []string{
	alertschema.KeyAlertID, alertschema.KeyEpisodeID, alertschema.KeyRecordUID, alertschema.KeyTransition, alertschema.KeyState, alertschema.KeySeverity,
	alertschema.KeyRuleName, alertschema.KeyStartedAt, alertschema.KeyEndedAt, alertschema.KeyOccurrences,
}

// text is what is hashed: fields with their lengths, so that two lists of fields are never one text.
type text []byte

func (t *text) put(s string) {
	*t = binary.AppendUvarint(*t, uint64(len(s)))
	*t = append(*t, s...)
}

func (t *text) putNumber(n uint64) { *t = binary.BigEndian.AppendUint64(*t, n) }

// putAttribute writes a value with its type; one that is missing is another than an empty one.
func (t *text) putAttribute(attrs pcommon.Map, key string) {
	t.put(key)
	if v, ok := attrs.Get(key); ok {
		*t = append(*t, byte(v.Type())+1)
		t.put(v.AsString())
	} else {
		*t = append(*t, 0)
	}
}

func (t text) digest() digest {
	sum := sha256.Sum256(t)
	return digest(sum[:])
}

// placeOf is where a record is found: it is the same for one that says something else in the same place.
func placeOf(lr plog.LogRecord) digest {
	t := make(text, 0, 512)
	t.put(lr.EventName())
	t.putNumber(uint64(lr.Timestamp()))
	t.putNumber(uint64(lr.ObservedTimestamp()))
	for _, key := range placing {
		t.putAttribute(lr.Attributes(), key)
	}
	return t.digest()
}

// recordKeys are the keys of the attributes that the engine gave a record and its resource. Many records have the same.
type recordKeys struct{ record, resource unique.Handle[string] }

// separator stands between the keys. The engine's keys are printable text, in which it does not occur.
const separator = "\x00"

func keysOf(resource pcommon.Resource, lr plog.LogRecord) recordKeys {
	return recordKeys{record: unique.Make(joined(lr.Attributes())), resource: unique.Make(joined(resource.Attributes()))}
}

func joined(attrs pcommon.Map) string {
	keys := make([]string, 0, attrs.Len())
	for key := range attrs.All() {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return strings.Join(keys, separator)
}

// contentOf is a digest of what a record says, of its attributes those with the keys.
func contentOf(keys recordKeys, resource pcommon.Resource, lr plog.LogRecord) digest {
	t := make(text, 0, 2048)
	t.put(lr.EventName())
	t.putNumber(uint64(lr.Timestamp()))
	t.putNumber(uint64(lr.ObservedTimestamp()))
	t.putNumber(uint64(lr.SeverityNumber()))
	t.put(lr.SeverityText())
	trace, span := lr.TraceID(), lr.SpanID()
	t.put(string(trace[:]))
	t.put(string(span[:]))
	t.put(lr.Body().AsString())
	for key := range strings.SplitSeq(keys.record.Value(), separator) {
		t.putAttribute(lr.Attributes(), key)
	}
	t.put("")
	for key := range strings.SplitSeq(keys.resource.Value(), separator) {
		t.putAttribute(resource.Attributes(), key)
	}
	return t.digest()
}

// addedOnly tells whether the record has no attributes of the schema beside those with the keys.
func (k recordKeys) addedOnly(lr plog.LogRecord) bool {
	given := strings.Split(k.record.Value(), separator)
	for key := range lr.Attributes().All() {
		if _, known := slices.BinarySearch(given, key); !known && alertschema.Defines(key) {
			return false
		}
	}
	return true
}
