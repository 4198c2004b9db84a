package host

// UDPQueues is how many bytes wait in the queues of all UDP sockets. A value is Odd where it can't be.
type UDPQueues struct {
	Received, Sent int64
}
