package attr

import (
	"math"
	"strconv"
	"strings"
)

// Kind tells what an attribute value holds.
type Kind uint8

// The kinds of attribute value, after OTLP's AnyValue. The numbers are stored, and alert IDs are made of them: append only.
const (
	// KindEmpty is a value that was never set.
	KindEmpty Kind = 0
	// KindString is text.
	KindString Kind = 1
	// KindInt is a signed integer.
	KindInt Kind = 2
	// KindDouble is a float.
	KindDouble Kind = 3
	// KindBool is a truth value.
	KindBool Kind = 4
	// KindOther is bytes, a list or a map, carried as its JSON text.
	KindOther Kind = 5
)

// Value is one attribute value. It is comparable, and building one allocates nothing.
type Value struct {
	kind Kind
	num  uint64
	str  string
}

// StringValue returns a text value.
func StringValue(s string) Value { return Value{kind: KindString, str: s} }

// IntValue returns an integer value.
func IntValue(i int64) Value { return Value{kind: KindInt, num: uint64(i)} }

// DoubleValue returns a float value.
func DoubleValue(f float64) Value { return Value{kind: KindDouble, num: math.Float64bits(f)} }

// BoolValue returns a truth value.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: KindBool, num: 1}
	}
	return Value{kind: KindBool}
}

// OtherValue returns a value that stands for bytes, a list or a map through its JSON text.
func OtherValue(json string) Value { return Value{kind: KindOther, str: json} }

// Kind tells what the value holds.
func (v Value) Kind() Kind { return v.kind }

// Int returns the integer of a KindInt value.
func (v Value) Int() int64 { return int64(v.num) }

// Double returns the float of a KindDouble value.
func (v Value) Double() float64 { return math.Float64frombits(v.num) }

// Bool returns the truth of a KindBool value.
func (v Value) Bool() bool { return v.num != 0 }

// AsString returns the value as text: a string as it is, other kinds as they read in JSON.
func (v Value) AsString() string {
	switch v.kind {
	case KindString, KindOther:
		return v.str
	case KindEmpty:
		return ""
	default:
		return string(v.appendText(nil))
	}
}

// appendText appends the value's text to b; a number allocates nothing when b has room.
func (v Value) appendText(b []byte) []byte {
	switch v.kind {
	case KindInt:
		return strconv.AppendInt(b, v.Int(), 10)
	case KindDouble:
		return strconv.AppendFloat(b, v.Double(), 'g', -1, 64)
	case KindBool:
		return strconv.AppendBool(b, v.Bool())
	default:
		return append(b, v.str...)
	}
}

// clone returns the value with text of its own, so that it may outlive the buffer it was read from.
func (v Value) clone() Value {
	v.str = strings.Clone(v.str)
	return v
}

// Attr is one attribute.
type Attr struct {
	Key   string
	Value Value
}

// String returns an attribute with a text value.
func String(key, value string) Attr { return Attr{key, StringValue(value)} }

// Int returns an attribute with an integer value.
func Int(key string, value int64) Attr { return Attr{key, IntValue(value)} }

// Double returns an attribute with a float value.
func Double(key string, value float64) Attr { return Attr{key, DoubleValue(value)} }

// Bool returns an attribute with a truth value.
func Bool(key string, value bool) Attr { return Attr{key, BoolValue(value)} }

// Lookup finds an attribute by key. Attribute sets are short, so a scan beats a map.
func Lookup(attrs []Attr, key string) (Value, bool) {
	for i := range attrs {
		if attrs[i].Key == key {
			return attrs[i].Value, true
		}
	}
	return Value{}, false
}

// Clone returns a deep copy of attrs.
func Clone(attrs []Attr) []Attr {
	if len(attrs) == 0 {
		return nil
	}
	out := make([]Attr, len(attrs))
	for i, a := range attrs {
		out[i] = Attr{Key: strings.Clone(a.Key), Value: a.Value.clone()}
	}
	return out
}

// EqualsText compares the value's text without allocating.
func (v Value) EqualsText(s string) bool {
	if v.kind == KindString || v.kind == KindOther {
		return v.str == s
	}
	var buf [32]byte
	return string(v.appendText(buf[:0])) == s
}

// EqualsString tells whether the value is text and is s; isText is false when it is no text. It does not copy the value.
func (v *Value) EqualsString(s string) (equal, isText bool) {
	if v.kind != KindString {
		return false, false
	}
	return v.str == s, true
}

// Source finds attributes of a data point where they lie.
type Source interface {
	// Attribute returns the attribute of a key, and whether the point has it. The value may share the point's text.
	Attribute(key string) (Value, bool)
}
