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
		updateLists(series)
	}
}

func findKernel(series, cache string) (*Kernel, error) {
	name, err := newestPackage(series)
	if err != nil {
		return nil, err
	}
	release := strings.TrimSuffix(strings.TrimPrefix(name, "linux-image-"), "-unsigned")
	k := &Kernel{Series: series, Release: release, folder: filepath.Join(cache, "kernel-"+release)}
	if _, err := os.Stat(filepath.Join(k.modules(), "modules.dep.bin")); err == nil {
		return k, nil
	}
	return k, k.unpack(name)
}

// updateLists gets the archives' lists of packages. If it can't, the next attempt says what is missing.
func updateLists(series string) {
	command := []string{"apt-get", "update", "-q"}
	if os.Geteuid() != 0 {
		command = append([]string{"sudo"}, command...)
	}
	if _, err := output(command[0], command[1:]...); err != nil {
		Progress(series, "%v", err)
	}
}

// newestPackage names the package of the series with the highest version.
func newestPackage(series string) (string, error) {
	pattern := `^linux-image-` + regexp.QuoteMeta(series) + `\.[0-9][^-]*(-[0-9]+)?-cloud-amd64-unsigned$`
	out, err := output("apt-cache", "search", "--names-only", pattern)
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
func (k *Kernel) unpack(name string) error {
	Progress(k.Series, "downloading %s", name)
	if err := os.RemoveAll(k.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(k.folder, 0o755); err != nil {
		return err
	}
	download := exec.Command("apt-get", "download", name)
	download.Dir = k.folder
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

func output(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out), nil
}
