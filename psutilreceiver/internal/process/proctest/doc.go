// Package proctest makes what the tests of the process readers and of the tracker read: copies of a /proc in a directory, and processes of
// this host that do what a test tells them.
package proctest
