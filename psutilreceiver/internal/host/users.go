package host

// Logins is how many users are logged in.
type Logins struct {
	Sessions int64 // login sessions, as who(1) lists them
	Users    int64 // distinct names among them
}
