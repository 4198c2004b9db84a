package readtest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// kinds are the kinds of processes of the mixture. Each does a bit of its work, again and again. What a bracket compares for being equal before and after is
// never changed there and back.
var kinds = map[string]func(folder string) (func() error, error){
	"user time":      func(string) (func() error, error) { return burnUser, nil },
	"system time":    func(string) (func() error, error) { return burnSystem, nil },
	"threads":        func(string) (func() error, error) { return startThreads, nil },
	"many threads":   manyThreads,
	"files":          files,
	"pipes":          func(string) (func() error, error) { return pipes, nil },
	"children":       func(string) (func() error, error) { return children, nil },
	"memory":         func(string) (func() error, error) { return memory, nil },
	"descriptors":    func(string) (func() error, error) { return descriptors, nil },
	"zombies":        zombies,
	"first thread":   endFirstThread,
	"nice":           nicer,
	"users":          users,
	"names":          names,
	"orphans":        func(string) (func() error, error) { return orphan, nil },
	"signals":        signals,
	"large children": largeChildren,
}

// Kinds are the names of the kinds, sorted.
func Kinds() []string {
	all := make([]string, 0, len(kinds))
	for kind := range kinds {
		all = append(all, kind)
	}
	slices.Sort(all)
	return all
}

func burnUser() error {
	for end := time.Now().Add(time.Duration(rand.IntN(4000)) * time.Microsecond); time.Now().Before(end); {
		for i := range 1000 {
			_ = i * i
		}
	}
	return nil
}

func burnSystem() error {
	for end := time.Now().Add(time.Duration(rand.IntN(4000)) * time.Microsecond); time.Now().Before(end); {
		for range 20 {
			_ = unix.Getppid()
		}
	}
	return nil
}

// startThreads starts threads that end: a goroutine that does not give its thread back takes it along.
func startThreads() error {
	n := 1 + rand.IntN(8)
	ended := make(chan struct{}, n)
	for range n {
		go func() {
			runtime.LockOSThread()
			_ = burnUser()
			time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
			ended <- struct{}{}
		}()
	}
	for range n {
		<-ended
	}
	return nil
}

// manyThreads has 100 threads that wait, and one that works now and then.
func manyThreads(string) (func() error, error) {
	for range 100 {
		go func() {
			runtime.LockOSThread()
			for {
				var wait unix.Timespec
				wait.Sec = 3600
				_ = unix.Nanosleep(&wait, nil)
			}
		}()
	}
	return burnUser, nil
}

// files writes to a file, has it written to its disk, and reads it back from there.
func files(folder string) (func() error, error) {
	f, err := os.CreateTemp(folder, "load-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	buffer := make([]byte, 256<<10)
	return func() error {
		if _, err := f.WriteAt(buffer[:rand.IntN(len(buffer))], 0); err != nil {
			return err
		}
		if rand.IntN(4) == 0 {
			_ = unix.Fdatasync(int(f.Fd()))
			_ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		}
		if _, err := f.ReadAt(buffer[:rand.IntN(len(buffer))], 0); err != nil && err != io.EOF {
			return err
		}
		return nil
	}, nil
}

func pipes() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	buffer := make([]byte, 4096)
	for range rand.IntN(50) {
		n := 1 + rand.IntN(len(buffer)-1)
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, buffer[:n]); err != nil {
			return err
		}
	}
	return nil
}

// children starts a shell that starts another that starts a program: each waits for the next. Until it executes one a child shares the memory of its parent.
func children() error {
	return exec.Command("sh", "-c", "sh -c 'cat /proc/self/status >/dev/null; true' && true").Run()
}

// largeChildren starts children that use so much that their parent's own is little beside it.
func largeChildren(string) (func() error, error) {
	return func() error {
		return exec.Command("sh", "-c", "i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; dd if=/dev/zero of=/dev/null bs=64k count=50 2>/dev/null").Run()
	}, nil
}

func memory() error {
	size := (1 + rand.IntN(1000)) * os.Getpagesize()
	m, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err != nil {
		return err
	}
	for i := 0; i < len(m); i += os.Getpagesize() {
		m[i] = 1
	}
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	return unix.Munmap(m)
}

func descriptors() error {
	var open []int
	for range 1 + rand.IntN(200) {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		open = append(open, fd)
	}
	time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	for _, fd := range open {
		_ = unix.Close(fd)
	}
	return nil
}

// zombies leaves children unwaited for a while.
func zombies(string) (func() error, error) {
	var left []*exec.Cmd
	return func() error {
		cmd := exec.Command("true")
		if err := cmd.Start(); err != nil {
			return err
		}
		if left = append(left, cmd); len(left) > 5 {
			_ = left[0].Wait()
			left = left[1:]
		}
		time.Sleep(100 * time.Millisecond)
		return nil
	}, nil
}

// endFirstThread ends the first thread. Others go on.
func endFirstThread(string) (func() error, error) {
	go func() {
		for {
			_ = burnUser()
			_ = startThreads()
			time.Sleep(50 * time.Millisecond)
		}
	}()
	_, _, errno := unix.RawSyscall(unix.SYS_EXIT, 0, 0, 0)
	return nil, errno
}

// nicer gives itself a higher nice value each time, until there is none.
func nicer(string) (func() error, error) {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, os.Getpid())
	if err != nil {
		return nil, err
	}
	nice := 20 - raw // The system call gives what is never negative.
	return func() error {
		if nice++; nice > 19 {
			return io.EOF
		}
		time.Sleep(100 * time.Millisecond)
		return unix.Setpriority(unix.PRIO_PROCESS, os.Getpid(), nice)
	}, nil
}

// users becomes another user each time, and keeps its capabilities. Without privileges it stays who it is.
func users(string) (func() error, error) {
	const noSetuidFixup = 1 << 2 // SECBIT_NO_SETUID_FIXUP of include/uapi/linux/securebits.h
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noSetuidFixup, 0); errno != 0 {
		return burnUser, nil
	}
	uid := 1000
	return func() error {
		uid++
		time.Sleep(50 * time.Millisecond)
		return syscall.Setresuid(-1, uid, -1)
	}, nil
}

// oddNames are beginnings of names that a parser of text could stumble over.
var oddNames = []string{"a b ", "a) S 1 ", "((", ") (", "new\nline", "back\\slash", "\\n", "größe ", "\xff\xfe", "日本 ", "kworker/", " ", "\t"}

// names changes its name each time to one that it has not had.
func names(string) (func() error, error) {
	n := 0
	return func() error {
		n++
		name := oddNames[n%len(oddNames)] + strconv.FormatInt(int64(n), 36)
		if n%3 == 0 {
			name = (name + strings.Repeat("x", 15))[:15-3] + fmt.Sprintf("%03d", n%1000)
		}
		return os.WriteFile("/proc/self/comm", []byte(name), 0)
	}, nil
}

// orphan starts a child that outlives its parent, so that another becomes its parent.
func orphan() error {
	return exec.Command("sh", "-c", "(sleep 0.3) & exit 0").Run()
}

// signals stops a child and sends it signals, which stay pending.
func signals(string) (func() error, error) {
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	pending := []syscall.Signal{syscall.SIGSTOP, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGTERM}
	return func() error {
		if len(pending) == 0 {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			return io.EOF
		}
		err := cmd.Process.Signal(pending[0])
		pending = pending[1:]
		time.Sleep(300 * time.Millisecond)
		return err
	}, nil
}
