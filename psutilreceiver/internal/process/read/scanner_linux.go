package read

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// maxPID bounds what is taken for a pid. Linux allows 2^22; pid_t is what the interface promises.
const maxPID = math.MaxInt32

// scanner reads blank-separated words of kernel text. After the first word that is not what was asked for bad is set, and stays.
type scanner struct {
	text []byte
	pos  int
	bad  bool
}

// begin goes to the next word. At the end of the text there is none.
func (s *scanner) begin() {
	for s.pos < len(s.text) && proctext.IsBlank(s.text[s.pos]) {
		s.pos++
	}
	s.bad = s.bad || s.pos == len(s.text)
}

// end tells whether the word in hand is at its end, as it must be when it has been read.
func (s *scanner) end() { s.bad = s.bad || s.pos < len(s.text) && !proctext.IsBlank(s.text[s.pos]) }

func (s *scanner) skip(words int) {
	text, pos := s.text, s.pos
	for range words {
		for pos < len(text) && proctext.IsBlank(text[pos]) {
			pos++
		}
		s.bad = s.bad || pos == len(text)
		for pos < len(text) && !proctext.IsBlank(text[pos]) {
			pos++
		}
	}
	s.pos = pos
}

func (s *scanner) letter() byte {
	s.begin()
	if s.bad {
		return 0
	}
	c := s.text[s.pos]
	s.pos++
	s.end()
	return c
}

// unsigned reads a decimal number that fits 64 bits.
func (s *scanner) unsigned() uint64 {
	s.begin()
	text, first := s.text, s.pos
	pos := first
	var v uint64
	for pos < len(text) {
		d := uint64(text[pos] - '0')
		if d > 9 {
			break
		}
		// Nineteen digits always fit.
		if pos-first >= 19 && v > (math.MaxUint64-d)/10 {
			s.bad = true
			break
		}
		v = v*10 + d
		pos++
	}
	s.bad = s.bad || pos == first
	s.pos = pos
	s.end()
	if s.bad {
		return 0
	}
	return v
}

// minus reads the sign of the next word.
func (s *scanner) minus() bool {
	s.begin()
	if s.pos+1 < len(s.text) && s.text[s.pos] == '-' && !proctext.IsBlank(s.text[s.pos+1]) {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) signed() int64 {
	negative := s.minus()
	v := s.unsigned()
	if v > math.MaxInt64 {
		s.bad = true
		return 0
	}
	if negative {
		return -int64(v)
	}
	return int64(v)
}

// scaled reads a count of something that is unit large. The kernel prints some of these as signed: less than none is none.
func (s *scanner) scaled(unit uint64) uint64 {
	negative := s.minus()
	v := s.unsigned()
	if v > math.MaxUint64/unit {
		s.bad = true
	}
	if negative || s.bad {
		return 0
	}
	return v * unit
}

// cutKey splits a line "key:   value" of /proc.
func cutKey(line []byte) (key, value []byte, ok bool) {
	return bytes.Cut(line, []byte{':'})
}
