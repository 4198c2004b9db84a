package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// packages builds the .deb and the .rpm of a program, and a stub that checks rules.
func packages(t *testing.T, program, version string) (deb, rpm string) {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("./package.sh", program, stub(t), stub(t), dir)
	cmd.Env = append(os.Environ(), "VERSION="+version, "SOURCE_DATE_EPOCH=1700000000")
	output(t, cmd)
	one := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.Len(t, found, 1)
		return found[0]
	}
	return one("otelcol-psutil_" + version + "_*.deb"), one("otelcol-psutil-" + version + "-1.*.rpm")
}

// stub is a program of a few bytes in the place of the collector.
func stub(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "otelcol-psutil")
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"), 0o755))
	return path
}

// modes are those of the files that matter; the rest is documentation.
var modes = map[string]string{
	"/usr/bin/otelcol-psutil":                          "-rwxr-xr-x",
	"/usr/bin/alertcheck":                              "-rwxr-xr-x",
	"/usr/bin/hosttop":                                 "-rwxr-xr-x",
	"/usr/lib/systemd/system/otelcol-psutil.service":   "-rw-r--r--",
	"/usr/lib/sysusers.d/otelcol-psutil.conf":          "-rw-r--r--",
	"/usr/share/otelcol-psutil/bpf.conf":               "-rw-r--r--",
	"/etc/otelcol-psutil/config.yaml":                  "-rw-r--r--",
	"/etc/otelcol-psutil/environment":                  "-rw-------",
	"/usr/share/doc/otelcol-psutil/copyright":          "-rw-r--r--",
	"/usr/share/doc/otelcol-psutil/examples/edge.yaml": "-rw-r--r--",
}

func TestPackagesHoldTheSameFiles(t *testing.T) {
	needs(t, false, "dpkg-deb", "rpm")
	deb, rpm := packages(t, stub(t), "1.2.3")
	listed := func(text string, fields int) map[string]string {
		files := make(map[string]string)
		for line := range strings.Lines(text) {
			words := strings.Fields(line)
			require.Len(t, words, fields, line)
			if path := strings.TrimPrefix(words[fields-1], "."); words[0][0] == '-' {
				files[path] = words[0]
			}
		}
		return files
	}
	inDeb := listed(output(t, exec.Command("dpkg-deb", "-c", deb)), 6)
	for path, mode := range modes {
		assert.Equal(t, mode, inDeb[path], path)
	}
	assert.Equal(t, inDeb, listed(output(t, exec.Command("rpm", "-qplv", rpm)), 9))
	for path := range inDeb {
		assert.True(t, modes[path] != "" || strings.HasPrefix(path, "/usr/share/doc/otelcol-psutil/examples/"), path)
	}
	assert.Contains(t, output(t, exec.Command("dpkg-deb", "-c", deb)), "root/root")
	assert.Equal(t, "/etc/otelcol-psutil/config.yaml\n/etc/otelcol-psutil/environment\n", output(t, exec.Command("rpm", "-qpc", rpm)))

	again, rpmAgain := packages(t, stub(t), "1.2.3")
	for one, other := range map[string]string{deb: again, rpm: rpmAgain} {
		assert.Equal(t, contents(t, one), contents(t, other), "the same program gives the same package")
	}
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	return text
}

// systemctl notes its arguments.
const systemctl = "#!/bin/sh\necho \"$@\" >>/systemctl.log\n"

// systemctlCalls gives the arguments of systemctl since it was asked before.
func (r *scratchRoot) systemctlCalls(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(r.changed("systemctl.log"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	require.NoError(t, os.Remove(r.changed("systemctl.log")))
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// TestDebFromInstallationToPurge follows a machine's life with the package, with systemd running.
func TestDebFromInstallationToPurge(t *testing.T) {
	needs(t, false, "dpkg", "systemd-sysusers")
	r := newScratchRoot(t)
	r.write(t, "run/systemd/system/.keep", "", 0o644)
	r.write(t, "usr/local/bin/systemctl", systemctl, 0o755)
	dpkg := func(args ...string) string {
		return r.run(t, append([]string{"env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "dpkg"}, args...)...)
	}
	const disable, reload, restart = "disable --now otelcol-psutil.service", "daemon-reload", "try-restart otelcol-psutil.service"

	deb, _ := packages(t, harness.Binary(t), "1.0.0")
	r.write(t, "old.deb", string(contents(t, deb)), 0o644)
	assert.Contains(t, dpkg("-i", "/old.deb"), "systemctl enable --now otelcol-psutil", "it is said how to go on")
	assert.Equal(t, []string{reload, restart}, r.systemctlCalls(t), "nothing is started")
	assert.Regexp(t, `^uid=\d+\(otelcol-psutil\) gid=\d+\(otelcol-psutil\) groups=\d+\(otelcol-psutil\)$`,
		strings.TrimSpace(r.run(t, "id", "otelcol-psutil")))
	assert.Regexp(t, `:/usr/sbin/nologin$`, strings.TrimSpace(r.run(t, "getent", "passwd", "otelcol-psutil")))
	r.run(t, "runuser", "-u", "otelcol-psutil", "--", "/usr/bin/otelcol-psutil", "validate", "--config", "/etc/otelcol-psutil/config.yaml",
		"--set", "extensions.file_storage.directory=/tmp", "--set", "extensions.file_storage.compaction.directory=/tmp")
	require.Error(t, r.command("runuser", "-u", "otelcol-psutil", "--", "cat", "/etc/otelcol-psutil/environment").Run(), "tokens are root's")

	r.run(t, "sh", "-c", "echo '# mine' >>/etc/otelcol-psutil/config.yaml; mkdir /var/lib/otelcol-psutil; touch /var/lib/otelcol-psutil/queue")
	deb, _ = packages(t, stub(t), "2.0.0")
	r.write(t, "new.deb", string(contents(t, deb)), 0o644)
	assert.NotContains(t, dpkg("-i", "/new.deb"), "enable --now")
	assert.Equal(t, []string{reload, reload, restart}, r.systemctlCalls(t), "an upgrade stops nothing, and restarts what runs")
	assert.Contains(t, r.run(t, "cat", "/etc/otelcol-psutil/config.yaml"), "# mine")
	assert.Equal(t, "#!/bin/sh\n", r.run(t, "cat", "/usr/bin/otelcol-psutil"))

	dpkg("-r", "otelcol-psutil")
	assert.Equal(t, []string{disable, reload}, r.systemctlCalls(t))
	r.run(t, "test", "!", "-e", "/usr/bin/otelcol-psutil")
	assert.Contains(t, r.run(t, "cat", "/etc/otelcol-psutil/config.yaml"), "# mine", "a removal keeps the configuration")
	r.run(t, "test", "-e", "/var/lib/otelcol-psutil/queue")

	dpkg("-P", "otelcol-psutil")
	assert.Empty(t, r.left(t), "a purge leaves nothing")
}

// TestDebWithoutSystemd installs where there is neither systemd nor its programs, as in a container.
func TestDebWithoutSystemd(t *testing.T) {
	needs(t, false, "dpkg")
	r := newScratchRoot(t)
	deb, _ := packages(t, stub(t), "1.0.0")
	r.write(t, "it.deb", string(contents(t, deb)), 0o644)
	r.run(t, "sh", "-ec", `rm -f /usr/bin/systemctl /bin/systemctl /usr/bin/systemd-sysusers /bin/systemd-sysusers; dpkg -i /it.deb; id otelcol-psutil; dpkg -P otelcol-psutil`)
	assert.Empty(t, r.left(t))
}

func TestRpmFromInstallationToRemoval(t *testing.T) {
	needs(t, false, "rpm", "systemd-sysusers")
	r := newScratchRoot(t)
	r.write(t, "run/systemd/system/.keep", "", 0o644)
	r.write(t, "usr/local/bin/systemctl", systemctl, 0o755)
	rpm := func(args ...string) string {
		// Nothing that the package needs, as /bin/sh, is in the empty database.
		return r.run(t, append([]string{"env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "rpm", "--nodeps", "--define", "_install_script_path /usr/local/bin:/usr/bin:/bin"}, args...)...)
	}
	for i, version := range []string{"1.0.0", "2.0.0"} {
		_, path := packages(t, stub(t), version)
		r.write(t, []string{"old.rpm", "new.rpm"}[i], string(contents(t, path)), 0o644)
	}
	assert.Contains(t, rpm("-i", "/old.rpm"), "systemctl enable --now otelcol-psutil")
	r.run(t, "id", "otelcol-psutil")
	rpm("-V", "otelcol-psutil")
	r.systemctlCalls(t)

	r.run(t, "sh", "-c", "echo '# mine' >>/etc/otelcol-psutil/config.yaml")
	rpm("-U", "/new.rpm")
	for _, order := range r.systemctlCalls(t) {
		assert.NotContains(t, order, "disable", "an upgrade stops nothing")
	}
	assert.Contains(t, r.run(t, "cat", "/etc/otelcol-psutil/config.yaml"), "# mine")

	rpm("-e", "otelcol-psutil")
	assert.Contains(t, r.systemctlCalls(t), "disable --now otelcol-psutil.service")
	for _, path := range r.left(t) {
		assert.Regexp(t, `^/etc/otelcol-psutil(/config\.yaml\.rpmsave)?$`, path, "what was changed is kept")
	}
}

func TestScriptsAreForEveryShell(t *testing.T) {
	scripts, err := filepath.Glob("scripts/*.sh")
	require.NoError(t, err)
	require.Len(t, scripts, 3)
	for _, path := range append(scripts, "package.sh") {
		output(t, exec.Command("sh", "-n", path))
		assert.NotRegexp(t, `\[\[|\bfunction\b|\blocal\b`, string(contents(t, path)), path)
	}
}
