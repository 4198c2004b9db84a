package read

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestProgramOf(t *testing.T) {
	for line, want := range map[string]string{
		"python3.11 app.py":                                      "app.py",
		"python3 -u /srv/shop/app.py --port 80":                  "app.py",
		"python3 -W ignore -X dev manage.py runserver":           "manage.py",
		"python3.11 -m gunicorn app:wsgi":                        "gunicorn",
		"python3 -c print(1) x.py":                               "python3",
		"python3 -cprint(1) x.py":                                "python3",
		"python3 -Ic print(1) x.py":                              "python3",
		"python3":                                                "python3",
		"python3 -V":                                             "python3",
		"pypy3.10 worker.py":                                     "worker.py",
		"node --require ./trace.js /srv/api/server.js":           "server.js",
		"node --max-old-space-size=512 index.js":                 "index.js",
		"node -e 1+1":                                            "node",
		"java -Xmx1g -cp /lib/a.jar:/lib/b.jar com.example.Main": "com.example.Main",
		"java -jar /opt/app/kafka-3.1.jar --x":                   "kafka-3.1.jar",
		"ruby -I lib bin/puma -C config.rb":                      "puma",
		"perl -w /usr/sbin/munin-node":                           "munin-node",
		"perl -ne print x":                                       "perl",
		"php -f cron.php":                                        "cron.php",
		"php-fpm8.2 x":                                           "php-fpm8.2",
		"php8.2 artisan queue:work":                              "artisan",
		"bash -x /opt/backup.sh nightly":                         "backup.sh",
		"bash -lc backup":                                        "bash",
		"sh -c sleep 10":                                         "sh",
		"dash -- /etc/init.d/x start":                            "x",
		"dotnet /srv/Api.dll":                                    "Api.dll",
		"postgres -D /var/lib/postgres":                          "postgres",
		"python3 token=abc":                                      "python3",
		"python3 -m":                                             "python3",
	} {
		arguments := strings.Fields(line)
		assert.Equal(t, want, programOf(arguments[0], arguments), line)
	}
	assert.Equal(t, "python3", programOf("python3", nil), "a zombie has no command line")
	assert.Equal(t, "python3", programOf("python3", []string{"python3", strings.Repeat("a", 200)}))
}

func FuzzProgramOf(f *testing.F) {
	f.Add("python3", "python3\x00-u\x00app.py")
	f.Add("java", "java\x00-cp\x00x\x00Main")
	f.Fuzz(func(t *testing.T, executable, line string) {
		program := programOf(executable, firstArguments([]byte(line), 4096))
		assert.LessOrEqual(t, len(program), max(len(executable), 256))
	})
}
