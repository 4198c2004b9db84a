package host

import (
	"fmt"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/proctext"
)

// maxNames bounds the strings kept for names of devices, so that hosts whose interfaces come and go do not grow it.
const maxNames = 4096

// names keeps one string for each name that recurs from scrape to scrape.
type names struct{ byText map[string]string }

// of gives the string for the bytes, without allocating when it was seen before.
func (n *names) of(b []byte) string {
	if s, ok := n.byText[string(b)]; ok {
		return s
	}
	if n.byText == nil {
		n.byText = make(map[string]string)
	}
	s := string(b)
	n.byText[s] = s
	return s
}

func (n *names) trim() {
	if len(n.byText) > maxNames {
		clear(n.byText)
	}
}

// malformed is the error for text that is not what proc(5) promises.
func malformed(file string, text []byte) error {
	if len(text) == 0 {
		return fmt.Errorf("parsing /%s: the file is empty: %w", file, errMalformed)
	}
	return fmt.Errorf("parsing /%s: unexpected text %q: %w", file, shortened(text), errMalformed)
}

// shortened is as much of text as an error shows.
func shortened(text []byte) []byte { return text[:min(len(text), 40)] }

// readInt reads a file that holds one whole number.
func (h *Host) readInt(name string) (int64, error) {
	read := h.read
	if strings.HasPrefix(name, "proc/") {
		read = h.readHeld
	}
	text, err := read(name)
	if err != nil {
		return 0, err
	}
	number, _ := proctext.Field(text)
	v, ok := proctext.Int(number)
	if !ok {
		return Odd, oddText(name, text)
	}
	return v, nil
}
