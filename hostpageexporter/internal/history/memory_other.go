//go:build !unix

package history

// mapMemory takes memory from Go's heap: mapping it is only done where it is simple.
func mapMemory(n int) []byte { return make([]byte, n) }

func unmapMemory([]byte) {}
