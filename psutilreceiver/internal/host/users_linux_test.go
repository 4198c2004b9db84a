package host

import (
	"bytes"
	"encoding/binary"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// login is a record of utmp in the layout of the given size.
func login(size int, kind uint16, user string) string {
	r := make([]byte, size)
	binary.NativeEndian.PutUint16(r, kind)
	copy(r[utmpUserAt:utmpUserAt+utmpUserLength], user)
	binary.NativeEndian.PutUint32(r[340:], 1_766_445_225) // A time or a part of one, in either layout.
	binary.NativeEndian.PutUint32(r[344:], 1_766_445_225)
	return string(r)
}

func TestLogins(t *testing.T) {
	const boot, getty, user, dead = 2, 6, utmpUser, 8
	for name, tc := range map[string]struct {
		records []string
		want    Logins
	}{
		"nobody is logged in": {
			records: []string{login(384, boot, "reboot"), login(384, getty, "LOGIN")},
		},
		"one user has two sessions": {
			records: []string{login(384, boot, "reboot"), login(384, user, "alice"), login(384, user, "bob"), login(384, user, "alice")},
			want:    Logins{Sessions: 3, Users: 2},
		},
		"sessions that ended stay as dead records": {
			records: []string{login(384, user, "alice"), login(384, dead, ""), login(384, dead, "bob"), login(384, user, "")},
			want:    Logins{Sessions: 1, Users: 1},
		},
		"a name may take all of its field": {
			records: []string{login(384, user, strings.Repeat("x", 32)), login(384, user, strings.Repeat("x", 31))},
			want:    Logins{Sessions: 2, Users: 2},
		},
		"arm64 keeps 64-bit times": {
			records: []string{login(400, boot, "reboot"), login(400, user, "alice"), login(400, user, "bob")},
			want:    Logins{Sessions: 2, Users: 2},
		},
		"a length that fits both layouts": {
			records: func() (all []string) {
				for range 24 {
					all = append(all, login(400, user, "alice"))
				}
				return all
			}(),
			want: Logins{Sessions: 24, Users: 1},
		},
		"an empty file": {},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := hostWith(t, map[string]string{"run/utmp": strings.Join(tc.records, "")}).Logins()
			require.NoError(t, err)
			assert.Equal(t, tc.want, got)
		})
	}
}

func TestLoginsOfServer(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the fixture was written by a little-endian machine") //nolint:forbidigo // Another kind of machine.
	}
	got, err := fixtureHost(t, "server-6.x").Logins()
	require.NoError(t, err)
	assert.Equal(t, Logins{Sessions: 3, Users: 2}, got)
}

func TestLoginsAreThoseOfTheRoot(t *testing.T) {
	_, err := fixtureHost(t, "container").Logins()
	require.ErrorIs(t, err, ErrUnsupported)

	one := login(384, utmpUser, "alice")
	got, err := hostWith(t, map[string]string{"var/run/utmp": one}).Logins()
	require.NoError(t, err)
	assert.Equal(t, Logins{Sessions: 1, Users: 1}, got, "where old systems keep it")

	outside := t.TempDir()
	put(t, outside, "utmp", one)
	h := hostWith(t, nil)
	link(t, h.Root(), "var/run", outside)
	_, err = h.Logins()
	require.ErrorIs(t, err, ErrUnsupported, "an absolute /var/run leads below the root, not to %s", outside)
}

func TestParseUtmpRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a record that is cut off": login(384, utmpUser, "alice")[:380],
		"a file of another kind":   strings.Repeat("0123456789abcdef", 24),
	} {
		got, err := hostWith(t, map[string]string{"run/utmp": text}).Logins()
		require.ErrorIs(t, err, errMalformed, name)
		assert.Equal(t, Logins{}, got)
	}
}

func FuzzParseUtmp(f *testing.F) {
	fixture, err := os.ReadFile("../../../testdata/hosts/server-6.x/run/utmp")
	require.NoError(f, err)
	f.Add(fixture)
	f.Add(fixture[:384])
	f.Add(fixture[:100])
	f.Add([]byte(login(400, utmpUser, "alice")))
	f.Add(bytes.Repeat([]byte{7, 0}, 4800))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := parseUtmp(utmpFile, text)
		if err != nil {
			assert.Equal(t, Logins{}, got)
			return
		}
		assert.LessOrEqual(t, got.Sessions, int64(len(text)/384))
		assert.LessOrEqual(t, got.Users, got.Sessions)
		assert.Equal(t, got.Sessions > 0, got.Users > 0)
	})
}
