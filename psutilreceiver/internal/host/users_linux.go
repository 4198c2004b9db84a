package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
)

// Layout of struct utmp, see utmp(5): the fields used here lie alike on every architecture.
const (
	utmpFile       = "run/utmp"
	utmpOldFile    = "var/run/utmp"
	utmpUserAt     = 44
	utmpUserLength = 32
	utmpUser       = 7 // ut_type USER_PROCESS
	utmpMaxType    = 9
)

// utmpSizes are the sizes of a record: 384 bytes where glibc still has 32-bit times in it, as on x86-64, and 400 where
// it does not, as on arm64.
var utmpSizes = [...]int{384, 400}

// Logins counts the sessions in utmp, from /run/utmp or, where that is missing, /var/run/utmp. ErrUnsupported without either,
// as in containers and on systems that have given utmp up. A session that ended in a crash stays until the next boot, as it
// does for who(1).
func (h *Host) Logins() (Logins, error) {
	name := utmpFile
	text, err := h.readInRoot(name)
	if errors.Is(err, fs.ErrNotExist) {
		name = utmpOldFile
		text, err = h.readInRoot(name)
	}
	if err != nil {
		return Logins{}, optional(err)
	}
	return parseUtmp(name, text)
}

func parseUtmp(name string, text []byte) (Logins, error) {
	size, ok := utmpSize(text)
	if !ok {
		return Logins{}, malformed(name, text)
	}
	var l Logins
	seen := make(map[string]struct{})
	for ; len(text) > 0; text = text[size:] {
		if binary.NativeEndian.Uint16(text) != utmpUser {
			continue
		}
		user, _, _ := bytes.Cut(text[utmpUserAt:utmpUserAt+utmpUserLength], []byte{0})
		if len(user) == 0 {
			continue
		}
		l.Sessions++
		seen[string(user)] = struct{}{}
	}
	l.Users = int64(len(seen))
	return l, nil
}

// utmpSize finds the size of the records: the one by which every record begins with a known type.
func utmpSize(text []byte) (int, bool) {
	for _, size := range utmpSizes {
		fits := len(text)%size == 0
		for at := 0; fits && at < len(text); at += size {
			fits = binary.NativeEndian.Uint16(text[at:]) <= utmpMaxType
		}
		if fits {
			return size, true
		}
	}
	return 0, false
}
