package read

import (
	"path"
	"strings"

	"github.com/otelcol-psutil/otelcol-psutil/psutilreceiver/internal/commandline"
)

// interpreter is a program that runs other programs, which its arguments name.
type interpreter struct {
	// valued are the options of which the value is the next argument.
	valued string
	// named are those of which the next argument is the program.
	named string
	// inline are those that have the program's text in place of its name.
	inline string
}

// interpreters by the base name of the executable, without a version.
var interpreters = map[string]interpreter{
	"python":  {valued: "-W -X --check-hash-based-pycs", named: "-m", inline: "-c"},
	"pypy":    {valued: "-W -X", named: "-m", inline: "-c"},
	"ruby":    {valued: "-r -I -C -E", inline: "-e"},
	"perl":    {valued: "-I", inline: "-e -E"},
	"node":    {valued: "-r --require --import --loader --experimental-loader -C --conditions --env-file", inline: "-e --eval -p --print"},
	"nodejs":  {valued: "-r --require --import", inline: "-e --eval -p --print"},
	"php":     {valued: "-c -d -z", named: "-f", inline: "-r"},
	"java":    {valued: "-cp -classpath --class-path -p --module-path --add-modules --add-opens --add-exports --add-reads", named: "-jar -m --module"},
	"sh":      {valued: "-o", inline: "-c"},
	"bash":    {valued: "-o -O --rcfile --init-file", inline: "-c"},
	"dash":    {valued: "-o", inline: "-c"},
	"zsh":     {valued: "-o", inline: "-c"},
	"ksh":     {valued: "-o", inline: "-c"},
	"busybox": {},
	"lua":     {valued: "-l", inline: "-e"},
	"mono":    {valued: "--config"},
	"dotnet":  {valued: "--fx-version --additionalprobingpath", named: "exec"},
	"Rscript": {inline: "-e"},
	"beam":    {},
}

// programOf returns the base name of the script that an interpreter runs, of the module or the class; for any other program, and where no argument
// names one, that of the executable: of "python3.11 -u /srv/app.py --port 80" it is app.py.
func programOf(executable string, arguments []string) string {
	known, ok := interpreters[strings.TrimRight(strings.TrimSuffix(executable, ".exe"), "0123456789.-")]
	if !ok || len(arguments) < 2 {
		return executable
	}
	for i := 1; i < len(arguments); i++ {
		argument := arguments[i]
		switch {
		case isOneOf(argument, known.inline):
			return executable
		case isOneOf(argument, known.named):
			if i+1 < len(arguments) {
				return nameOfProgram(arguments[i+1], executable)
			}
			return executable
		case isOneOf(argument, known.valued):
			i++
		case argument == "--":
			if i+1 < len(arguments) {
				return nameOfProgram(arguments[i+1], executable)
			}
			return executable
		case strings.HasPrefix(argument, "-") || argument == "":
			// -cprint(1), as well: what comes after it are arguments of that text.
			if hasInline(argument, known.inline) {
				return executable
			}
		default:
			return nameOfProgram(argument, executable)
		}
	}
	return executable
}

func isOneOf(argument, options string) bool {
	for option := range strings.FieldsSeq(options) {
		if argument == option {
			return true
		}
	}
	return false
}

// hasInline tells whether an argument is an option with the text of a program directly behind it, or several letters of which the last is such.
func hasInline(argument, inline string) bool {
	for option := range strings.FieldsSeq(inline) {
		if len(option) == 2 && !strings.HasPrefix(argument, "--") && (strings.HasPrefix(argument, option) || strings.HasSuffix(argument, option[1:])) {
			return true
		}
	}
	return false
}

// nameOfProgram is the base name of a path, without secrets and of a bounded length. One that is none is the executable's.
func nameOfProgram(file, executable string) string {
	const longest = 128
	name := path.Base(file)
	if name == "." || name == "/" || len(name) > longest || strings.ContainsAny(name, " \t\n=;") {
		return executable
	}
	return commandline.Masked([]string{name})
}
