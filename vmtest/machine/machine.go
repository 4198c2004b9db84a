package machine

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// lifetime bounds a machine, should the test die without ending it.
	lifetime = 20 * time.Minute
	// bootLimit is how long the agent may take to answer. A kernel boots in 5 seconds where nothing else runs.
	bootLimit   = 3 * time.Minute
	resultsSize = 1 << 30
)

// Machine is a running virtual machine.
type Machine struct {
	Kernel  *Kernel
	folder  string
	cmd     *exec.Cmd
	exited  chan struct{}
	monitor *monitor
	agent   *agentClient
	results *os.File
}

// Boot starts a machine with two CPUs and 1 GiB, no network, and slots for more, and waits for the agent in it.
func Boot(k *Kernel, g Guest, folder string) (*Machine, error) {
	began := time.Now()
	image := filepath.Join(folder, "root.img")
	if err := buildImage(image, k, g); err != nil {
		return nil, err
	}
	results, err := os.Create(filepath.Join(folder, "results.img"))
	if err != nil {
		return nil, err
	}
	if err := results.Truncate(resultsSize); err != nil {
		return nil, err
	}
	m := &Machine{Kernel: k, folder: folder, results: results, exited: make(chan struct{})}
	if err := m.start(image, g.init()); err != nil {
		m.Close()
		return nil, fmt.Errorf("%w\nconsole:\n%s", err, m.Console())
	}
	Progress(k.Series, "%s booted in %v", k.Release, time.Since(began).Round(100*time.Millisecond))
	return m, nil
}

func (m *Machine) socket(name string) string { return filepath.Join(m.folder, name) }
func (m *Machine) consoleLog() string        { return filepath.Join(m.folder, "console.log") }
func chardev(id, path string) (string, string) {
	return "-chardev", "socket,id=" + id + ",path=" + path + ",server=on,wait=off"
}

// start runs the emulator. Without la57=off, Linux 6.12 does not come back from a suspend: its way back knows no page tables of five levels here.
func (m *Machine) start(image, init string) error {
	args := []string{
		"-k", "10", fmt.Sprint(int(lifetime.Seconds())), "qemu-system-x86_64",
		"-accel", "tcg,thread=multi", "-cpu", "max,la57=off", "-machine", "pc", "-global", "PIIX4_PM.disable_s3=0",
		"-m", "1024,slots=2,maxmem=4G", "-smp", "2,maxcpus=3", "-nodefaults", "-display", "none", "-net", "none", "-no-reboot",
		"-serial", "file:" + m.consoleLog(),
		"-kernel", m.Kernel.image(),
		"-append", fmt.Sprintf("root=PARTUUID=%08x-01 rw rootwait init=%s console=ttyS0 panic=-1 random.trust_cpu=on no_console_suspend", diskID, init),
		"-drive", "if=none,id=root,format=raw,snapshot=on,file=" + image, "-device", "nvme,drive=root,serial=root",
		"-drive", "if=none,id=results,format=raw,file=" + m.results.Name(), "-device", "nvme,drive=results,serial=results",
		"-serial", "chardev:agent", "-qmp", "unix:" + m.socket("qmp") + ",server=on,wait=off",
	}
	name, value := chardev("agent", m.socket("agent"))
	args = append(args, name, value)
	m.cmd = exec.Command("timeout", args...)
	var stderr strings.Builder
	m.cmd.Stdout, m.cmd.Stderr = &stderr, &stderr
	if err := m.cmd.Start(); err != nil {
		return err
	}
	var ended error
	go func() {
		ended = m.cmd.Wait()
		close(m.exited)
	}()
	err := m.connect()
	select {
	case <-m.exited:
		return fmt.Errorf("qemu ended: %w\n%s", errors.Join(ended, err), stderr.String())
	default:
		return err
	}
}

func (m *Machine) connect() error {
	deadline := time.Now().Add(bootLimit)
	qmp, err := m.dial("qmp", deadline)
	if err != nil {
		return err
	}
	if m.monitor, err = newMonitor(qmp); err != nil {
		return err
	}
	serial, err := m.dial("agent", deadline)
	if err != nil {
		return err
	}
	m.agent, err = newAgentClient(serial, time.Until(deadline))
	return err
}

// dial waits for the emulator to make its socket.
func (m *Machine) dial(name string, deadline time.Time) (net.Conn, error) {
	for {
		conn, err := net.Dial("unix", m.socket(name))
		if err == nil {
			return conn, nil
		}
		select {
		case <-m.exited:
			return nil, err
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return nil, err
		}
	}
}

// Close ends the machine. It needs no shutdown: its disk is a snapshot.
func (m *Machine) Close() {
	if m.cmd != nil && m.cmd.Process != nil {
		_ = m.cmd.Process.Signal(syscall.SIGTERM) // timeout passes it on to the emulator.
		<-m.exited
	}
	_ = m.results.Close()
	for _, name := range []string{"root.img", "results.img"} {
		_ = os.Remove(filepath.Join(m.folder, name))
	}
}

// Console is what the guest's kernel and programs have written to the first serial port.
func (m *Machine) Console() string {
	text, err := os.ReadFile(m.consoleLog())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Folder is where the console log is, and what tests keep.
func (m *Machine) Folder() string { return m.folder }

// Monitor gives the emulator a command.
func (m *Machine) Monitor(command string, arguments map[string]any) error {
	return m.monitor.do(command, arguments)
}

// Unplug takes out a device and waits until the guest has let go of it.
func (m *Machine) Unplug(device string) error {
	mark := m.monitor.mark()
	if err := m.Monitor("device_del", map[string]any{"id": device}); err != nil {
		return err
	}
	return m.monitor.await("DEVICE_DELETED:"+device, mark, time.Minute)
}

// Suspend puts the guest to sleep by its own /sys/power/state, and wakes it after a while.
func (m *Machine) Suspend(duration time.Duration) error {
	mark := m.monitor.mark()
	done := make(chan error, 1)
	go func() {
		_, err := m.Run("sh", "-c", "echo mem >/sys/power/state")
		done <- err
	}()
	if err := m.monitor.await("SUSPEND", mark, time.Minute); err != nil {
		return err
	}
	time.Sleep(duration)
	if err := m.Monitor("system_wakeup", nil); err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-time.After(time.Minute):
		return errors.New("the machine was woken and has not come back within a minute")
	}
}
