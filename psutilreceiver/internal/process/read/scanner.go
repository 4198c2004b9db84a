package read

import (
	"bytes"
	"math"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// maxPID is the largest number that is taken for a pid. Linux allows 2^22; the interface promises pid_t.
const maxPID = math.MaxInt32

// scanner reads blank-separated words of kernel text. After the first word that is not what was expected, bad is set and stays set.
type scanner struct {
	text    []byte
	pos     int
	bad     bool
	columns bool // one blank stands between two words: more would mean that a word is missing
}

// startWord goes to the next word. At the end of the text there is none.
func (s *scanner) startWord() {
	first := s.pos
	for s.pos < len(s.text) && proctext.IsBlank(s.text[s.pos]) {
		s.pos++
	}
	s.bad = s.bad || s.pos == len(s.text) || s.columns && s.pos > first+1
}

// endWord checks that the current word is at its end, as it must be when it has been read.
func (s *scanner) endWord() { s.bad = s.bad || s.pos < len(s.text) && !proctext.IsBlank(s.text[s.pos]) }

func (s *scanner) skip(words int) {
	text, pos := s.text, s.pos
	for range words {
		first := pos
		for pos < len(text) && proctext.IsBlank(text[pos]) {
			pos++
		}
		s.bad = s.bad || pos == len(text) || s.columns && pos > first+1
		for pos < len(text) && !proctext.IsBlank(text[pos]) {
			pos++
		}
	}
	s.pos = pos
}

func (s *scanner) letter() byte {
	s.startWord()
	if s.bad {
		return 0
	}
	c := s.text[s.pos]
	s.pos++
	s.endWord()
	return c
}

// unsigned reads a decimal number that fits 63 bits: no count of the kernel is larger.
func (s *scanner) unsigned() uint64 {
	s.startWord()
	text, first := s.text, s.pos
	pos := first
	var v uint64
	for pos < len(text) {
		d := uint64(text[pos] - '0')
		if d > 9 {
			break
		}
		// Eighteen digits always fit.
		if pos-first >= 18 && v > (math.MaxInt64-d)/10 {
			s.bad = true
			break
		}
		v = v*10 + d
		pos++
	}
	s.bad = s.bad || pos == first
	s.pos = pos
	s.endWord()
	if s.bad {
		return 0
	}
	return v
}

// minus reads the sign of the next word.
func (s *scanner) minus() bool {
	s.startWord()
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

// scaled reads a count of units and returns it multiplied by their size.
func (s *scanner) scaled(unit uint64) uint64 {
	v := s.unsigned()
	if s.bad = s.bad || v > math.MaxInt64/unit; s.bad {
		return 0
	}
	return v * unit
}

// cutKey splits a line "key:   value" of /proc.
func cutKey(line []byte) (key, value []byte, ok bool) {
	return bytes.Cut(line, []byte{':'})
}
