package alertpipe

import (
	"crypto/sha256"
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-psutil/otelcol-psutil/internal/alert"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/attr"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alert/rules"
	"github.com/otelcol-psutil/otelcol-psutil/internal/alertschema"
)

// attributeReader copies attributes out of the data model, within limits: how long and how many they are is the sender's word, and all that is done
// with them later takes as long as they are.
type attributeReader struct {
	bytes, depth int
	// named are the keys that come first where there are too many.
	named map[string]struct{}
	// cost are the limits that took effect since it was last emptied.
	cost alert.Limits
}

func newAttributeReader(limits *rules.LimitsConfig, named map[string]struct{}) attributeReader {
	return attributeReader{bytes: limits.AttributeBytes, depth: limits.AttributeDepth, named: named}
}

func (r *attributeReader) exceed(l alert.Limit) { r.cost.Add(l) }

// append appends the attributes of a map to dst, sharing their text: as many as a limit allows.
func (r *attributeReader) append(dst []attr.Attr, attrs pcommon.Map, most int, limit alert.Limit) []attr.Attr {
	room := rules.AttributeSetFactor * r.bytes
	if attrs.Len() > most {
		r.exceed(limit)
		return r.appendFirst(dst, attrs, most)
	}
	for key, v := range attrs.All() {
		dst = r.appendOne(dst, key, v, &room)
	}
	return dst
}

// appendFirst appends the attributes that rules name, and then the others in their order.
func (r *attributeReader) appendFirst(dst []attr.Attr, attrs pcommon.Map, most int) []attr.Attr {
	room := rules.AttributeSetFactor * r.bytes
	begin := len(dst)
	for _, wantNamed := range []bool{true, false} {
		for key, v := range attrs.All() {
			if len(dst)-begin >= most {
				return dst
			}
			if _, named := r.named[key]; named == wantNamed {
				dst = r.appendOne(dst, key, v, &room)
			}
		}
	}
	return dst
}

// appendOne appends one attribute, if there is room for it.
func (r *attributeReader) appendOne(dst []attr.Attr, key string, v pcommon.Value, room *int) []attr.Attr {
	value, size, ok := r.value(v)
	if !ok {
		return dst
	}
	key = r.text(key)
	if *room -= len(key) + size; *room < 0 {
		*room += len(key) + size
		r.exceed(alert.LimitAttributeBytes)
		return dst
	}
	return append(dst, attr.Attr{Key: key, Value: value})
}

// value returns a value, cut if it is too long, and the length of its text. One that is nested too deeply, or that is a list, a map or bytes and too
// long, is left out.
func (r *attributeReader) value(v pcommon.Value) (value attr.Value, size int, ok bool) {
	switch v.Type() {
	case pcommon.ValueTypeStr:
		s := r.text(v.Str())
		return attr.StringValue(s), len(s), true
	case pcommon.ValueTypeInt:
		return attr.IntValue(v.Int()), 0, true
	case pcommon.ValueTypeDouble:
		return attr.DoubleValue(v.Double()), 0, true
	case pcommon.ValueTypeBool:
		return attr.BoolValue(v.Bool()), 0, true
	case pcommon.ValueTypeEmpty:
		return attr.Value{}, 0, true
	default:
		room := r.bytes
		if !r.fits(v, r.depth, &room) {
			return attr.Value{}, 0, false
		}
		text := v.AsString()
		return attr.OtherValue(text), len(text), true
	}
}

// fits tells whether a value is neither nested too deeply nor too long. It looks no further than it has to.
func (r *attributeReader) fits(v pcommon.Value, depth int, room *int) bool {
	size := 8
	switch v.Type() {
	case pcommon.ValueTypeStr:
		size = len(v.Str())
	case pcommon.ValueTypeBytes:
		size = v.Bytes().Len()
	case pcommon.ValueTypeSlice, pcommon.ValueTypeMap:
		if depth <= 0 {
			r.exceed(alert.LimitAttributeDepth)
			return false
		}
	}
	if *room -= size; *room < 0 {
		r.exceed(alert.LimitAttributeBytes)
		return false
	}
	switch v.Type() {
	case pcommon.ValueTypeSlice:
		for _, item := range v.Slice().All() {
			if !r.fits(item, depth-1, room) {
				return false
			}
		}
	case pcommon.ValueTypeMap:
		for key, item := range v.Map().All() {
			if *room -= len(key); *room < 0 || !r.fits(item, depth-1, room) {
				if *room < 0 {
					r.exceed(alert.LimitAttributeBytes)
				}
				return false
			}
		}
	}
	return true
}

// cut shortens a text. Two that are different before are so afterwards: a hash of the whole stands at the end.
func (r *attributeReader) cut(text string) string {
	r.exceed(alert.LimitAttributeBytes)
	sum := sha256.Sum256([]byte(text))
	return alertschema.CutText(text, r.bytes-hashLength) + hex.EncodeToString(sum[:hashLength/2])
}

// text returns a text that is no longer than a value may be.
func (r *attributeReader) text(s string) string {
	if len(s) <= r.bytes {
		return s
	}
	return r.cut(s)
}

// hashLength is how many hex digits of the hash of a text stand at the end of it where it was cut.
const hashLength = 16
