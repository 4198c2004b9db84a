//go:build amd64 || arm64

package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/heldfile"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/process/read"
	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/rootfs"
)

// Exists tells whether this system has the reader at all.
const Exists = true

// Supported returns nil if the processes of the host whose root directory is root ("" stands for "/") can be read by BPF, as far as can be known without
// loading a program: [New] may still fail, as where a seccomp filter forbids it. Otherwise the error says all that is missing.
func Supported(root string) error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return fmt.Errorf("the release of the kernel can't be read: %w", err)
	}
	s := surroundings{release: unix.ByteSliceToString(name.Release[:]), pid: os.Getpid(), capabilities: read.EffectiveCapabilities, hasProcfs: rootfs.Root.HasProcfs}
	return s.supports(rootfs.At(root))
}

// surroundings is what this process runs in. Tests have others.
type surroundings struct {
	own          rootfs.Root // in which this process's own /proc and /sys are: /
	release      string      // of the kernel: uname -r
	pid          int         // of this process
	capabilities func() (uint64, error)
	hasProcfs    func(rootfs.Root) bool
}

// supports returns an error that says all that is missing for reading the host by BPF, each as a part of a sentence.
func (s *surroundings) supports(host rootfs.Root) error {
	// Of a root that is not this host's nothing more matters, and nothing outside of it is opened.
	if !s.hasProcfs(host) {
		return errors.New(host.Join("proc") + " is not the kernel's procfs")
	}
	var missing []string
	for _, part := range []string{
		s.missingRelease(), s.missingTypes(), s.missingCapabilities(), s.otherProc(host), s.otherNamespaces(), s.ticklessCPUs(), s.lockdown(),
	} {
		if part != "" {
			missing = append(missing, part)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return errors.New(strings.Join(missing, "; "))
}

// minMajor and minMinor are the first Linux that has iterators over tasks, ring buffers and CAP_BPF.
const minMajor, minMinor = 5, 8

func (s *surroundings) missingRelease() string {
	if major, minor, ok := parseRelease(s.release); ok && (major > minMajor || major == minMajor && minor >= minMinor) {
		return ""
	}
	return fmt.Sprintf("it takes Linux %d.%d or newer, and this is %s", minMajor, minMinor, s.release)
}

// parseRelease reads the first two numbers of a release, as 6.1 of 6.1.0-18-amd64.
func parseRelease(release string) (major, minor int, ok bool) {
	first, rest, found := strings.Cut(release, ".")
	if !found {
		return 0, 0, false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	minor, err = strconv.Atoi(rest[:end])
	return major, minor, err == nil
}

const (
	typesPath = "sys/kernel/btf/vmlinux"
	maxTypes  = 256 << 20 // it has some MiB
)

func (s *surroundings) missingTypes() string {
	f, err := s.own.Open(s.own.Join(typesPath), maxTypes)
	switch {
	case err == nil:
		_ = f.Close()
		return ""
	case errors.Is(err, unix.ENOENT):
		return "the kernel does not describe its types (BTF): there is no /" + typesPath
	}
	return fmt.Sprintf("the kernel's types (BTF) can't be read: %v", err)
}

// missingCapabilities names those that are not in effect. CAP_SYS_ADMIN stands for both.
func (s *surroundings) missingCapabilities() string {
	effective, err := s.capabilities()
	if err != nil {
		return err.Error()
	}
	has := func(capability int) bool { return effective&(1<<capability) != 0 }
	if has(unix.CAP_SYS_ADMIN) {
		return ""
	}
	var lacks []string
	for _, c := range []struct {
		number int
		name   string
	}{{unix.CAP_BPF, "CAP_BPF"}, {unix.CAP_PERFMON, "CAP_PERFMON"}} {
		if !has(c.number) {
			lacks = append(lacks, c.name)
		}
	}
	if len(lacks) == 0 {
		return ""
	}
	return "this process lacks " + strings.Join(lacks, " and ") + " (CAP_SYS_ADMIN would do, too)"
}

// otherProc tells whether the host's /proc does not have the processes that the kernel hands over, by the same numbers.
func (s *surroundings) otherProc(host rootfs.Root) string {
	if s.hasFirstPIDs() && host.Readlink(host.Join("proc/self")) != strconv.Itoa(s.pid) {
		return host.Join("proc") + " is that of another pid namespace"
	}
	return ""
}

// The numbers of the namespaces that the kernel begins with: PROC_USER_INIT_INO and PROC_TIME_INIT_INO of its source.
const (
	firstUserNamespace = "user:[4026531837]"
	firstTimeNamespace = "time:[4026531834]"
)

// otherNamespaces tells whether pids, numbers of users or times since boot here are not those that the kernel hands over.
func (s *surroundings) otherNamespaces() string {
	var of []string
	if !s.hasFirstPIDs() {
		of = append(of, "a pid namespace of its own, where it has to share the host's (--pid host, hostPID: true)")
	}
	if s.own.Readlink(s.own.Join("proc/self/ns/user")) != firstUserNamespace {
		of = append(of, "a user namespace of its own")
	}
	// A kernel need not have time namespaces.
	if time := s.own.Readlink(s.own.Join("proc/self/ns/time")); time != "" && time != firstTimeNamespace {
		of = append(of, "a time namespace of its own")
	}
	if len(of) == 0 {
		return ""
	}
	return "this process is in " + strings.Join(of, " and in ")
}

func (s *surroundings) hasFirstPIDs() bool {
	first, _ := read.HasFirstPIDs(s.own)
	return first
}

// ticklessCPUs tells whether CPUs run without a clock tick: the times of processes are accounted for otherwise with them.
func (s *surroundings) ticklessCPUs() string {
	text, err := s.ownFile("sys/devices/system/cpu/nohz_full")
	cpus := string(bytes.TrimSpace(text))
	if err != nil || cpus == "" || cpus == "(null)" {
		return "" // A kernel without such CPUs need not have the file.
	}
	return "CPUs " + cpus + " run without a clock tick (nohz_full), where the kernel keeps times of processes elsewhere"
}

// lockdown tells whether the kernel lets no program read its memory.
func (s *surroundings) lockdown() string {
	text, err := s.ownFile("sys/kernel/security/lockdown")
	if err != nil || !bytes.Contains(text, []byte("[confidentiality]")) {
		return "" // securityfs need not be mounted: the kernel then says so when the programs are loaded.
	}
	return "the kernel is locked down (lockdown=confidentiality), and lets nobody read its memory"
}

const maxOwnFile = 64 << 10

// ownFile reads a file of this process's own /proc or /sys.
func (s *surroundings) ownFile(name string) ([]byte, error) {
	f, err := s.own.Open(s.own.Join(name), maxOwnFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return heldfile.ReadAll(int(f.Fd()), nil, maxOwnFile)
}
