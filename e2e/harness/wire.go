package harness

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// RequestBody reads the body of a request, compressed by gzip or not.
func RequestBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

// InfluxLine is one line of InfluxDB's line protocol: measurement,tag=value,… field=value,… timestamp.
type InfluxLine struct {
	Series string // measurement and tags as they stand
	Fields map[string]float64
	At     int64
}

// Measurement is the part of the series before the tags.
func (l InfluxLine) Measurement() string { return splitUnescaped(l.Series, ',')[0] }

// ParseInfluxLine parses a line without its newline.
func ParseInfluxLine(text string) (InfluxLine, error) {
	parts := splitUnescaped(text, ' ')
	if len(parts) != 3 {
		return InfluxLine{}, fmt.Errorf("line %q has %d parts", text, len(parts))
	}
	l := InfluxLine{Series: parts[0], Fields: map[string]float64{}}
	for _, tag := range splitUnescaped(parts[0], ',')[1:] {
		if pair := splitUnescaped(tag, '='); len(pair) != 2 || pair[0] == "" || pair[1] == "" {
			return l, fmt.Errorf("line %q has the tag %q", text, tag)
		}
	}
	for _, field := range splitUnescaped(parts[1], ',') {
		pair := splitUnescaped(field, '=')
		if len(pair) != 2 {
			return l, fmt.Errorf("line %q has the field %q", text, field)
		}
		v, err := strconv.ParseFloat(strings.TrimSuffix(pair[1], "i"), 64)
		if err != nil {
			return l, fmt.Errorf("line %q: %w", text, err)
		}
		l.Fields[pair[0]] = v
	}
	var err error
	l.At, err = strconv.ParseInt(parts[2], 10, 64)
	return l, err
}

// splitUnescaped splits at every separator that has no backslash before it.
func splitUnescaped(s string, separator byte) []string {
	var parts []string
	begin := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case separator:
			parts = append(parts, s[begin:i])
			begin = i + 1
		}
	}
	return append(parts, s[begin:])
}

// DecodeSnappy undoes the block format of Snappy, in which remote write is sent.
func DecodeSnappy(in []byte) ([]byte, error) {
	size, n := binary.Uvarint(in)
	if n <= 0 {
		return nil, errors.New("snappy: no length")
	}
	in = in[n:]
	out := make([]byte, 0, size)
	for len(in) > 0 {
		tag := in[0]
		length, offset, header := int(tag>>2)+1, 0, 1
		switch tag & 3 {
		case 0: // Literal; lengths above 60 stand in one to four bytes behind the tag.
			if extra := length - 60; extra > 0 {
				header += extra
				var word [8]byte
				copy(word[:], in[1:header])
				length = int(binary.LittleEndian.Uint64(word[:])) + 1
			}
			out = append(out, in[header:header+length]...)
			in = in[header+length:]
			continue
		case 1:
			length, offset, header = int(tag>>2&7)+4, int(tag>>5)<<8|int(in[1]), 2
		case 2:
			offset, header = int(binary.LittleEndian.Uint16(in[1:])), 3
		case 3:
			offset, header = int(binary.LittleEndian.Uint32(in[1:])), 5
		}
		for range length { // A copy may reach into what it writes.
			out = append(out, out[len(out)-offset])
		}
		in = in[header:]
	}
	if uint64(len(out)) != size {
		return nil, fmt.Errorf("snappy: %d bytes where %d were promised", len(out), size)
	}
	return out, nil
}
