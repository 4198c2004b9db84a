package history

// Process is who a process is: what stays as long as it runs.
type Process struct {
	Pid, Parent int64
	// Created is the start time in milliseconds since the epoch, 0 where it is not known.
	Created                                  int64
	Name, User, Unit, Container, CommandLine string
	// ControlGroup is the path of the control group that has a row of its own.
	ControlGroup string
}

func (p Process) textSize() int {
	return len(p.Name) + len(p.User) + len(p.Unit) + len(p.Container) + len(p.CommandLine) + len(p.ControlGroup)
}

const (
	// maxProcessText bounds each text of a process but the command line.
	maxProcessText  = 128
	maxCommandLine  = 1024
	identitySize    = 300
	maxIdentities   = 50_000
	identityMinimum = 256
)

// described is who the row of a table is.
type described interface {
	comparable
	textSize() int
}

// identity is a process or a control group that some table has.
type identity[P described] struct {
	who    P
	number uint32
	// seen is when the last table of each tier was that has it.
	seen [2]int64
}

// identities numbers processes or control groups, so that tables need not repeat who they are.
type identities[P described] struct {
	byText   map[P]*identity[P]
	byNumber map[uint32]*identity[P]
	next     uint32
	heap     int
	limit    int // Of bytes.
}

func newIdentities[P described]() identities[P] {
	return identities[P]{byText: map[P]*identity[P]{}, byNumber: map[uint32]*identity[P]{}}
}

// of returns the identity of a process; nil when there are too many.
func (i *identities[P]) of(p *P) *identity[P] {
	if found := i.byText[*p]; found != nil {
		return found
	}
	size := identitySize + (*p).textSize()
	if len(i.byNumber) >= maxIdentities || i.heap+size > i.limit && len(i.byNumber) >= identityMinimum {
		return nil
	}
	i.next++
	return i.put(&identity[P]{who: *p, number: i.next})
}

// put adds an identity that has its number.
func (i *identities[P]) put(id *identity[P]) *identity[P] {
	i.byText[id.who], i.byNumber[id.number] = id, id
	i.heap += identitySize + id.who.textSize()
	return id
}

// expire forgets those that no table has any more; oldest is the time of the oldest table of each tier.
func (i *identities[P]) expire(oldest [2]int64) {
	for number, id := range i.byNumber {
		if id.seen[0] < oldest[0] && id.seen[1] < oldest[1] {
			delete(i.byNumber, number)
			delete(i.byText, id.who)
			i.heap -= identitySize + id.who.textSize()
		}
	}
}
