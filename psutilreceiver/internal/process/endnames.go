package process

import "github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"

// endNames has what processes that were seen say of those that no scan saw: of these the kernel tells the comm, the user's number and the
// cgroup's. It is filled when the first such end of a scrape is to be named.
type endNames struct {
	programs map[string]*programNames // by comm
	cgroups  map[uint64]cgroupNames   // by the number of the cgroup
	scrape   uint64                   // in which it was filled last
}

// programNames are the names that the processes of one comm have, each "" if they do not have the same.
type programNames struct {
	executable, path, program string
	scrape                    uint64 // in which such a process was seen last
}

type cgroupNames struct {
	path, text, unit string
	scrape           uint64
}

// namesKeptFor is for how many scrapes the names of processes that have gone are kept.
const namesKeptFor = 100

func newEndNames() endNames {
	return endNames{programs: map[string]*programNames{}, cgroups: map[uint64]cgroupNames{}}
}

// identityOfEnd returns what is known of processes that no scan saw, as far as filter and grouping need it. A text that is not known is empty.
//
// comm is the name of the executable, cut at 15 bytes, unless it is a script or has changed its name. So where all processes with this comm that
// were seen lately have the same executable, it is that of these as well.
func (t *Tracker) identityOfEnd(x *read.Exit) read.Identity {
	id := read.Identity{Executable: x.Comm, Program: x.Comm, Have: read.AttributeExecutable | read.AttributeProgram}
	needs := t.groups.needs | t.filter.needs()
	if needs == 0 {
		return id
	}
	names := &t.ends.names
	if names.scrape != t.scrape {
		names.fill(t)
	}
	if n := names.programs[x.Comm]; n != nil {
		if n.executable != "" {
			id.Executable, id.Program = n.executable, n.executable
		}
		if n.program != "" {
			id.Program = n.program
		}
		id.ExecutablePath = n.path
	}
	if needs&read.AttributeOwner != 0 {
		id.Owner, id.Have = t.ends.source.Owner(x.UID), id.Have|read.AttributeOwner
	}
	if needs&read.AttributeCgroup != 0 {
		t.setCgroupOfEnd(x, &id)
	}
	return id
}

// setCgroupOfEnd sets the cgroup by its number, or where that is not known that of the ancestor.
func (t *Tracker) setCgroupOfEnd(x *read.Exit, id *read.Identity) {
	if c, ok := t.ends.names.cgroups[x.CgroupID]; ok {
		id.Cgroup, id.CgroupText, id.Unit = c.path, c.text, c.unit
		id.Have |= read.AttributeCgroup
	} else if path := t.ends.source.Cgroup(x.CgroupID); path != "" {
		id.SetUnifiedCgroup(path)
	} else if p := t.ancestor(x.Ancestor); p != nil {
		ancestor := p.identity.Value()
		id.Cgroup, id.CgroupText, id.Unit = ancestor.Cgroup, ancestor.CgroupText, ancestor.Unit
		id.Have |= ancestor.Have & read.AttributeCgroup
	}
}

// includesEnd tells whether the filter includes processes that no scan saw.
func (t *Tracker) includesEnd(x *read.Exit, id *read.Identity) bool {
	ancestor := t.ancestor(x.Ancestor)
	return t.filter.includesEnd(x.Comm, id, t.context.Elapsed, ancestor != nil && !ancestor.excluded)
}

// fill takes the names from the processes of this scrape and of the one before.
func (n *endNames) fill(t *Tracker) {
	n.scrape = t.scrape
	for _, processes := range [...][]*Process{t.previous, t.live} {
		for _, p := range processes {
			id := p.identity.Value()
			if id.Have&read.AttributeExecutable != 0 {
				n.addProgram(p.comm, &id)
			}
			if id.Have&read.AttributeCgroup != 0 && p.cgroupID != 0 {
				n.cgroups[p.cgroupID] = cgroupNames{id.Cgroup, id.CgroupText, id.Unit, n.scrape}
			}
		}
	}
	for comm, names := range n.programs {
		if n.scrape-names.scrape > namesKeptFor {
			delete(n.programs, comm)
		}
	}
	for number, names := range n.cgroups {
		if n.scrape-names.scrape > namesKeptFor {
			delete(n.cgroups, number)
		}
	}
}

func (n *endNames) addProgram(comm string, id *read.Identity) {
	names := n.programs[comm]
	if names == nil {
		names = &programNames{}
		n.programs[comm] = names
	}
	if names.scrape != n.scrape {
		*names = programNames{id.Executable, id.ExecutablePath, id.Program, n.scrape}
		return
	}
	keepSame(&names.executable, id.Executable)
	keepSame(&names.path, id.ExecutablePath)
	keepSame(&names.program, id.Program)
}

// keepSame empties a name that is not the same.
func keepSame(name *string, other string) {
	if *name != other {
		*name = ""
	}
}
