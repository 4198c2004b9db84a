package read

// A Source reads processes. One goroutine uses it at a time. Each system has one, [Reader], and tests have others.
type Source interface {
	// Scan calls visit once for each process with what the cheapest read gives: its key, and the fields that come with it.
	// The sample belongs to the source and is valid during the call; visit may pass it to Read and Identify.
	// A process that exits meanwhile is not visited and is no error. An error means that the list itself could not be read to its end.
	Scan(visit func(*Sample)) error
	// Read adds those of the fields that the sample does not have yet. What cannot be read stays out of s.Have.
	Read(s *Sample, fields Fields)
	// Identify adds those of the attributes that id does not have yet. It reports false if the process has exited. An attribute that cannot be
	// read now but may be later stays out of id.Have.
	Identify(s *Sample, attributes Attributes, id *Identity) bool
	// HasMoved tells whether the process is in another cgroup than this one now.
	HasMoved(s *Sample, cgroup string) bool
	// ReadErrors returns the errors of the reads since the last Scan began. They belong to the source and are valid until the next Scan.
	ReadErrors() *Errors
	// Close closes what the source keeps open. A later Scan opens it again.
	Close() error
}

// A StateCounter counts processes at less than the cost of a scan. Any goroutine may use it, also while a scan runs.
type StateCounter interface {
	// CountStates counts all processes by the kernel's letter of their state: stat state (3).
	CountStates(letters *[128]int32) error
}

// Attributes is a set of attributes: those of an [Identity] to read, or those that it has.
type Attributes uint8

// The attributes, each with the parts of an identity that are read with it.
const (
	AttributeExecutable  Attributes = 1 << iota // Executable, ExecutablePath
	AttributeCommand                            // Command
	AttributeCommandLine                        // CommandLine
	AttributeOwner                              // Owner
	AttributeCgroup                             // Cgroup, CgroupText, Unit, ContainerID
	AttributeProgram                            // Program
)

// An Identity is what is known of a process beyond its numbers. It is read once, and again when the process has become another program.
type Identity struct {
	Executable     string     // base name of the executable; comm where its path cannot be read
	ExecutablePath string     // path of the executable, "" where it cannot be read or there is none: link /proc/PID/exe
	Command        string     // first argument, "" for kernel threads and zombies: /proc/PID/cmdline
	CommandLine    string     // arguments joined by spaces, secrets masked as package commandline does: /proc/PID/cmdline
	Owner          string     // name of the effective user, its number where <root>/etc/passwd has no name: owner of /proc/PID
	Cgroup         string     // path in the unified hierarchy, or in systemd's or the first one that groups: /proc/PID/cgroup
	CgroupText     string     // all of /proc/PID/cgroup, as the conventions have process.linux.cgroup
	Unit           string     // systemd unit, "" outside of systemd's tree: from Cgroup
	Program        string     // script, module or class that an interpreter runs, else Executable, as programOf finds it: /proc/PID/cmdline
	ContainerID    string     // as containerID finds it, "" outside of containers: from Cgroup
	Have           Attributes // the attributes that were read, whether or not there was a value
}

// A File is a kind of file (on systems without /proc: of system call) that a source reads of each process.
type File uint8

// The files of /proc/PID.
const (
	FileStat File = iota
	FileStatm
	FileIO
	FileStatus
	FileTask
	FileFD
	FileSmapsRollup
	FileExe
	FileCmdline
	FileCgroup
	FileComm
	NumFiles
)

var fileNames = [NumFiles]string{"stat", "statm", "io", "status", "task", "fd", "smaps_rollup", "exe", "cmdline", "cgroup", "comm"}

// String returns the file's name in /proc/PID.
func (f File) String() string { return fileNames[f] }

// Errors counts the errors of reads, by file. Each process counts at most once for each file and reason in one scrape.
type Errors struct {
	Gone      int           // processes that exited while they were read: no error
	OddStat   int           // processes of whose stat single values can't be, which are left out alone
	Denied    [NumFiles]int // EACCES, EPERM
	Malformed [NumFiles]int // text that is not what proc(5) promises
	Failed    [NumFiles]int // any other error, such as EIO or ENFILE, and what is no regular file in a copy of a /proc
	Users     error         // why <root>/etc/passwd can't be read, unless it is missing: numbers stand for names
}
