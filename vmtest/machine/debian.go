package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
)

// FindDebian makes the root file system of a Debian with systemd by a script (debian-root.sh) that is given the file to write, unless the
// cache has what this script makes.
func FindDebian(script string) (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(script)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	path := filepath.Join(cache, "debian-"+hex.EncodeToString(sum[:8])+".tar")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	Progress("", "making a Debian with systemd, about a minute")
	out, err := exec.Command(script, path).CombinedOutput()
	if err != nil {
		return "", errors.New(string(out[max(0, len(out)-4096):]))
	}
	return path, nil
}

// fillDebian unpacks the Debian and has its systemd start the agent.
func fillDebian(root string, k *Kernel, g Guest) error {
	if os.Geteuid() != 0 {
		return errors.New("the files of a Debian belong to several users: root is needed to unpack them")
	}
	if _, err := output("tar", "-C", root, "-xpf", g.Debian); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "lib/modules"), 0o755); err != nil {
		return err
	}
	if err := addModules(root, k); err != nil {
		return err
	}
	if _, err := output("cp", "-r", g.Folder, filepath.Join(root, "packages")); err != nil {
		return err
	}
	if err := copyFile(g.Agent, filepath.Join(root, "guest")); err != nil {
		return err
	}
	const units = "etc/systemd/system/"
	if err := writeFiles(root, []file{
		{"find-results", findResults, 0o755},
		{units + "vmtest-agent.service", agentUnit, 0o644},
		{"etc/machine-id", machineID, 0o644},
		{"etc/hostname", "vmtest\n", 0o644},
		{"etc/fstab", "", 0o644},
	}); err != nil {
		return err
	}
	wants := filepath.Join(root, units, "multi-user.target.wants")
	if err := os.MkdirAll(wants, 0o755); err != nil {
		return err
	}
	if err := os.Symlink("../vmtest-agent.service", filepath.Join(wants, "vmtest-agent.service")); err != nil {
		return err
	}
	// A login on a serial port waits for udev, which is not installed. Nothing is to run by itself.
	for _, unit := range []string{"serial-getty@ttyS0.service", "getty@tty1.service", "apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer"} {
		if err := os.Symlink("/dev/null", filepath.Join(root, units, unit)); err != nil {
			return err
		}
	}
	return nil
}

const findResults = `#!/bin/sh
for controller in /sys/class/nvme/nvme*; do
	read serial <$controller/serial
	[ "$serial" = results ] && ln -sf /dev/${controller##*/}n1 /dev/results
done
[ -e /dev/results ]
`

const agentUnit = `[Unit]
Description=Agent of the tests

[Service]
ExecStartPre=/find-results
ExecStart=/guest serve /dev/ttyS1 /dev/results
`
