package backends

import (
	"compress/gzip"
	binaryenc "encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.opentelemetry.io/collector/pdata/pmetric"
)

// backends is a server on loopback that takes OTLP, InfluxDB's line protocol and Prometheus remote write, by the first part of the path.
type backends struct {
	*httptest.Server
	mu      sync.Mutex
	otlp    map[string][]pmetric.Metrics
	influx  map[string][]influxLine
	written map[string][]byte // remote write requests, one after the other
	errs    []error
}

func newBackends(t *testing.T) *backends {
	t.Helper()
	b := &backends{otlp: map[string][]pmetric.Metrics{}, influx: map[string][]influxLine{}, written: map[string][]byte{}}
	mux := http.NewServeMux()
	for pattern, take := range map[string]func(sender string, body []byte) error{
		"POST /{sender}/v1/metrics":   b.takeOTLP,
		"POST /{sender}/api/v2/write": b.takeInflux,
		"POST /{sender}/write":        b.takeRemoteWrite,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			body, err := bodyOf(r)
			b.mu.Lock()
			defer b.mu.Unlock()
			if err == nil {
				err = take(r.PathValue("sender"), body)
			}
			if err != nil {
				b.errs = append(b.errs, fmt.Errorf("%s: %w", r.URL.Path, err))
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			w.WriteHeader(map[bool]int{true: http.StatusOK, false: http.StatusNoContent}[strings.HasSuffix(pattern, "metrics")])
		})
	}
	b.Server = httptest.NewServer(mux)
	t.Cleanup(b.Close)
	return b
}

func bodyOf(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	unzipped, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unzipped)
}

func (b *backends) takeOTLP(sender string, body []byte) error {
	// A request to export is, on the wire, what it exports.
	md, err := (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics(body)
	b.otlp[sender] = append(b.otlp[sender], md)
	return err
}

func (b *backends) takeInflux(sender string, body []byte) error {
	for text := range strings.Lines(string(body)) {
		line, err := parseInflux(strings.TrimSuffix(text, "\n"))
		if err != nil {
			return err
		}
		b.influx[sender] = append(b.influx[sender], line)
	}
	return nil
}

func (b *backends) takeRemoteWrite(sender string, body []byte) error {
	text, err := unsnap(body)
	b.written[sender] = append(b.written[sender], text...)
	return err
}

// influxLine is one line of the line protocol: measurement,tag=value,… field=value,… timestamp.
type influxLine struct {
	series string // measurement and tags as they stand
	fields map[string]float64
	at     int64
}

func (l influxLine) measurement() string { return splitUnescaped(l.series, ',')[0] }

func parseInflux(text string) (influxLine, error) {
	parts := splitUnescaped(text, ' ')
	if len(parts) != 3 {
		return influxLine{}, fmt.Errorf("line %q has %d parts", text, len(parts))
	}
	l := influxLine{series: parts[0], fields: map[string]float64{}}
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
		l.fields[pair[0]] = v
	}
	var err error
	l.at, err = strconv.ParseInt(parts[2], 10, 64)
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

// unsnap undoes the block format of Snappy, in which remote write is sent.
func unsnap(in []byte) ([]byte, error) {
	size, n := binaryenc.Uvarint(in)
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
				length = int(binaryenc.LittleEndian.Uint64(word[:])) + 1
			}
			out = append(out, in[header:header+length]...)
			in = in[header+length:]
			continue
		case 1:
			length, offset, header = int(tag>>2&7)+4, int(tag>>5)<<8|int(in[1]), 2
		case 2:
			offset, header = int(binaryenc.LittleEndian.Uint16(in[1:])), 3
		case 3:
			offset, header = int(binaryenc.LittleEndian.Uint32(in[1:])), 5
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
