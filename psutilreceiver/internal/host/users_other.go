//go:build !linux

package host

import (
	"context"

	"github.com/shirou/gopsutil/v3/host"
)

// Logins counts the login sessions.
func (h *Host) Logins() (Logins, error) {
	users, err := host.UsersWithContext(context.Background())
	if err != nil {
		return Logins{}, portable("reading the login sessions", err)
	}
	seen := make(map[string]struct{})
	for _, u := range users {
		seen[u.User] = struct{}{}
	}
	return Logins{Sessions: int64(len(users)), Users: int64(len(seen))}, nil
}
