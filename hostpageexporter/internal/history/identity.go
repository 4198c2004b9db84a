package history

// Process is who a process is: what stays as long as it runs.
type Process struct {
	Pid, Parent int64
	// Created is the start time in milliseconds since the epoch, 0 where it is not known.
	Created                                  int64
	Name, User, Unit, Container, CommandLine string
}

const (
	// maxProcessText bounds each text of a process but the command line.
	maxProcessText  = 128
	maxCommandLine  = 1024
	identitySize    = 280
	maxIdentities   = 50_000
	identityMinimum = 256
)

// identity is a process that some table has.
type identity struct {
	Process
	number uint32
	// seen is when the last table of each tier was that has it.
	seen [2]int64
}

// identities numbers processes, so that tables need not repeat who they are.
type identities struct {
	byProcess map[Process]*identity
	byNumber  map[uint32]*identity
	next      uint32
	heap      int
	limit     int // Of bytes.
}

func (i *identities) size(p *Process) int {
	return identitySize + len(p.Name) + len(p.User) + len(p.Unit) + len(p.Container) + len(p.CommandLine)
}

// of returns the identity of a process; nil when there are too many.
func (i *identities) of(p *Process) *identity {
	if found := i.byProcess[*p]; found != nil {
		return found
	}
	size := i.size(p)
	if len(i.byNumber) >= maxIdentities || i.heap+size > i.limit && len(i.byNumber) >= identityMinimum {
		return nil
	}
	i.next++
	id := &identity{Process: *p, number: i.next}
	i.byProcess[*p], i.byNumber[id.number] = id, id
	i.heap += size
	return id
}

// expire forgets those that no table has any more; oldest is the time of the oldest table of each tier.
func (i *identities) expire(oldest [2]int64) {
	for number, id := range i.byNumber {
		if id.seen[0] < oldest[0] && id.seen[1] < oldest[1] {
			delete(i.byNumber, number)
			delete(i.byProcess, id.Process)
			i.heap -= i.size(&id.Process)
		}
	}
}
