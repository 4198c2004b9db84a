package read

// A Source reads processes. It is the seam between the ways to read them and what is made of them; one goroutine uses it at a time.
type Source interface {
	// Scan calls visit once for each process with what the cheapest read gives: identity, and the figures that come with it.
	// The sample belongs to the source and is valid during the call; visit may pass it to Read and Identify.
	// A process that goes away meanwhile is not visited and is no error. An error means that the list itself could not be read to its end.
	Scan(visit func(*Sample)) error
	// Read adds those of the wanted figures that the sample does not hold yet. What cannot be read stays out of s.Have.
	Read(s *Sample, want Fields)
	// Identify adds those of the wanted attributes that id does not hold yet. It reports false if the process is gone. What can't be looked
	// for now but may be later stays out of id.Have.
	Identify(s *Sample, want Attributes, id *Identity) bool
	// Tally returns what the reads since the last Scan began ran into.
	Tally() *Tally
	// Close gives back what the source holds open. A later Scan opens it again.
	Close() error
}

// Attributes is a set of the attributes of an [Identity].
type Attributes uint8

// The attributes that can be asked for.
const (
	AttributeExecutable  Attributes = 1 << iota // Executable, ExecutablePath
	AttributeCommand                            // Command
	AttributeCommandLine                        // CommandLine
	AttributeOwner                              // Owner
	AttributeCgroup                             // Cgroup, Unit, ContainerID
)

// An Identity is what is known of a process beyond its numbers. It is read once, and again when the process has become another program.
type Identity struct {
	Executable     string     // base name of the executable; comm where its path cannot be read
	ExecutablePath string     // path of the executable, "" where it cannot be read or there is none: link /proc/PID/exe
	Command        string     // first argument, "" for kernel threads and zombies: /proc/PID/cmdline
	CommandLine    string     // arguments joined by spaces, secrets masked as [ScrubCommandLine] does: /proc/PID/cmdline
	Owner          string     // name of the effective user, its number where <root>/etc/passwd has no name: owner of /proc/PID
	Cgroup         string     // path in the unified hierarchy, or in systemd's or the first one that groups: /proc/PID/cgroup
	Unit           string     // systemd unit, "" outside of systemd's tree: from Cgroup
	ContainerID    string     // 64 hexadecimal digits, "" outside of containers: from Cgroup
	Have           Attributes // the attributes that were looked for, whether or not there was something to find
}

// A File is a kind of file (on systems without /proc: of request) that a source reads of each process.
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
	NumFiles
)

var fileNames = [NumFiles]string{"stat", "statm", "io", "status", "task", "fd", "smaps_rollup", "exe", "cmdline", "cgroup"}

// String returns the file's name in /proc/PID.
func (f File) String() string { return fileNames[f] }

// A Tally counts what reads ran into, by file. Each process counts at most once for each file and reason in one scrape.
type Tally struct {
	Gone    int           // processes that went away while they were read: no error
	Denied  [NumFiles]int // EACCES, EPERM
	Garbage [NumFiles]int // text that is not what proc(5) promises
	Failed  [NumFiles]int // any other error, such as EIO or ENFILE
}
