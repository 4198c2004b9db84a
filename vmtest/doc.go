// Package vmtest boots virtual machines and holds every metric of the distribution against what the guest's kernel said at that moment.
package vmtest
