// Package machine boots Debian kernels under software emulation and drives the guest: through an agent in it, and through the emulator.
package machine

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Kernel is one of Debian's, unpacked.
type Kernel struct {
	Series  string // as the tests name it: 6.1
	Release string // as uname names it: 6.1.0-56-cloud-amd64
	folder  string
}

func (k *Kernel) image() string   { return filepath.Join(k.folder, "boot", "vmlinuz-"+k.Release) }
func (k *Kernel) modules() string { return filepath.Join(k.folder, "lib", "modules", k.Release) }

// Cache is where downloads and images are kept: VMTEST_CACHE, or a folder of the user's cache.
func Cache() (string, error) {
	folder := os.Getenv("VMTEST_CACHE")
	if folder == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		folder = filepath.Join(user, "otelcol-psutil-vmtest")
	}
	return folder, os.MkdirAll(folder, 0o755)
}

// attempts at a download. The lists of packages may be missing or old, and the archive may be out of reach for a moment.
const attempts = 3

// FindKernel gets the newest kernel of a series that the configured archives have, and unpacks it, unless it is in the cache.
func FindKernel(series string) (*Kernel, error) {
	cache, err := Cache()
	if err != nil {
		return nil, err
	}
	for attempt := 1; ; attempt++ {
		k, err := findKernel(series, cache)
		if err == nil || attempt == attempts {
			return k, err
		}
		Progress(series, "apt-get update, for %v", err)
		updateLists(series, cache)
	}
}

// archive is where packages come from: the environment for apt.
type archive []string

// olderDebian has the series that no archive of a current Debian has, and the Debian that has them.
var olderDebian = map[string]string{"5.10": "bullseye"}

// archiveOf gives the configured archives, or for a series of an older Debian a configuration of its own in the cache.
func archiveOf(series, cache string) (archive, error) {
	suite := olderDebian[series]
	if suite == "" {
		return archive(os.Environ()), nil
	}
	folder := filepath.Join(cache, "apt-"+suite)
	for _, name := range []string{"lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(folder, name), 0o755); err != nil {
			return nil, err
		}
	}
	return append(archive(os.Environ()), "APT_CONFIG="+filepath.Join(folder, "apt.conf")), writeFiles(folder, []file{
		{"sources.list", "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian " + suite + " main\n", 0o644},
		{"apt.conf", fmt.Sprintf("Dir::Etc::sourcelist %q;\nDir::Etc::sourceparts \"-\";\nDir::State::lists %q;\nDir::Cache %q;\n",
			filepath.Join(folder, "sources.list"), filepath.Join(folder, "lists"), filepath.Join(folder, "cache")), 0o644},
	})
}

func findKernel(series, cache string) (*Kernel, error) {
	archive, err := archiveOf(series, cache)
	if err != nil {
		return nil, err
	}
	name, err := archive.newestPackage(series)
	if err != nil {
		return nil, err
	}
	release := strings.TrimSuffix(strings.TrimPrefix(name, "linux-image-"), "-unsigned")
	k := &Kernel{Series: series, Release: release, folder: filepath.Join(cache, "kernel-"+release)}
	if _, err := os.Stat(filepath.Join(k.modules(), "modules.dep.bin")); err == nil {
		return k, nil
	}
	return k, k.unpack(archive, name)
}

// updateLists gets the archives' lists of packages. If it can't, the next attempt says what is missing.
func updateLists(series, cache string) {
	archive, err := archiveOf(series, cache)
	if err != nil {
		Progress(series, "%v", err)
		return
	}
	command := []string{"apt-get", "update", "-q"}
	if os.Geteuid() != 0 && olderDebian[series] == "" {
		command = append([]string{"sudo"}, command...)
	}
	if _, err := archive.output(command[0], command[1:]...); err != nil {
		Progress(series, "%v", err)
	}
}

// newestPackage names the package of the series with the highest version.
func (a archive) newestPackage(series string) (string, error) {
	pattern := `^linux-image-` + regexp.QuoteMeta(series) + `\.[0-9][^-]*(-[0-9]+)?-cloud-amd64-unsigned$`
	out, err := a.output("apt-cache", "search", "--names-only", pattern)
	if err != nil {
		return "", err
	}
	var newest string
	for line := range strings.Lines(out) {
		if name, _, ok := strings.Cut(line, " "); ok && (newest == "" || lowerVersion(newest, name)) {
			newest = name
		}
	}
	if newest == "" {
		return "", fmt.Errorf("apt-cache knows no package %s: run apt-get update; Debian 12 has 6.1 and, by its security archive or backports, 6.12", pattern)
	}
	return newest, nil
}

var digits = regexp.MustCompile(`\d+`)

// lowerVersion compares names by the numbers in them.
func lowerVersion(a, b string) bool {
	x, y := digits.FindAllString(a, -1), digits.FindAllString(b, -1)
	for i := range min(len(x), len(y)) {
		n, _ := strconv.Atoi(x[i])
		m, _ := strconv.Atoi(y[i])
		if n != m {
			return n < m
		}
	}
	return len(x) < len(y)
}

// unpack takes the kernel and its modules out of the package. Modules are decompressed, for not every modprobe can do that.
func (k *Kernel) unpack(a archive, name string) error {
	Progress(k.Series, "downloading %s", name)
	if err := os.RemoveAll(k.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(k.folder, 0o755); err != nil {
		return err
	}
	download := exec.Command("apt-get", "download", name)
	download.Dir, download.Env = k.folder, a
	if out, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download %s: %w\n%s", name, err, out)
	}
	files, err := filepath.Glob(filepath.Join(k.folder, "*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("apt-get download %s left %d packages in %s: %w", name, len(files), k.folder, err)
	}
	for _, command := range [][]string{
		{"dpkg", "-x", files[0], k.folder},
		{"find", k.modules(), "-name", "*.ko.xz", "-exec", "xz", "-d", "{}", "+"},
		{"depmod", "-b", k.folder, k.Release},
		{"rm", files[0]},
	} {
		if _, err := output(command[0], command[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func output(name string, args ...string) (string, error) { return archive(nil).output(name, args...) }

// output runs a command in the environment of the archive.
func (a archive) output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = a
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}
