package read

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScrubCommandLine(t *testing.T) {
	cases := []struct {
		arguments []string
		want      string
	}{
		{[]string{"nginx", "-c", "/etc/nginx.conf"}, "nginx -c /etc/nginx.conf"},
		{[]string{"db", "--password", "s3cret", "--port", "5432"}, "db --password ******** --port 5432"},
		{[]string{"db", "--password=s3cret", "--port=5432"}, "db --password=******** --port=5432"},
		{[]string{"db", "--password=a b c"}, "db --password=********"},
		{[]string{"db", "--password", "-abc", "--port", "5432"}, "db --password ******** --port 5432"},
		{[]string{"db", "--db-password", "--verbose", "-x"}, "db --db-password ******** -x"},
		{[]string{"db", "--use-token", "--password", "s3cret", "-x"}, "db --use-token ******** ******** -x"},
		{[]string{"app", "--api-key", "k", "--api_key=k", "--APIKEY=k", "-apiKey=k"}, "app --api-key ******** --api_key=******** --APIKEY=******** -apiKey=********"},
		{[]string{"env", "AWS_SECRET_ACCESS_KEY=abc", "GITHUB_TOKEN=ghp", "HOME=/root", "app"}, "env AWS_SECRET_ACCESS_KEY=******** GITHUB_TOKEN=******** HOME=/root app"},
		{[]string{"java", "-Dspring.datasource.password=x", "-Xmx1g"}, "java -Dspring.datasource.password=******** -Xmx1g"},
		{[]string{"curl", "-H", "Authorization: Bearer abc def", "http://host/"}, "curl -H Authorization: ******** http://host/"},
		{[]string{"curl", "-H", "X-Api-Key: abc"}, "curl -H X-Api-Key: ********"},
		{[]string{"curl", "-d", `{"user": "joe", "password": "x y", "n": 1}`}, `curl -d {"user": "joe", "password": ********, "n": 1}`},
		{[]string{"sh", "-c", "run --token abc --n 1 && PASSWORD='x y' go"}, "sh -c run --token ******** --n 1 && PASSWORD=******** go"},
		{[]string{"postgres: joe password=abc idle"}, "postgres: joe password=******** idle"},
		{[]string{"psql", "postgresql://joe:s3cret@db:5432/x?sslmode=off"}, "psql postgresql://joe:********@db:5432/x?sslmode=off"},
		{[]string{"psql", "postgresql://joe:s3/c@ret@db/x"}, "psql postgresql://joe:********@db/x"},
		{[]string{"get", "http://host:8080/a"}, "get http://host:8080/a"},
		{[]string{"get", "http://host/a?token=abc"}, "get http://host/a?token=********"},
		{[]string{"ssh", "joe@host"}, "ssh joe@host"},
		{[]string{"app", "--pass", "x", "--passive", "y"}, "app --pass ******** --passive y"},
		{[]string{"app", "--secret"}, "app --secret"},
		{[]string{"app", ""}, "app "},
		{nil, ""},
	}
	for _, c := range cases {
		assert.Equal(t, c.want, ScrubCommandLine(c.arguments))
	}
}

func TestSplitArguments(t *testing.T) {
	assert.Equal(t, []string{"a", "", "b c"}, splitArguments([]byte("a\x00\x00b c\x00")))
	assert.Equal(t, []string{"postgres: idle"}, splitArguments([]byte("postgres: idle\x00\x00\x00\x00")))
	assert.Nil(t, splitArguments(nil))
	assert.Nil(t, splitArguments([]byte("\x00")))
}

func FuzzScrubCommandLine(f *testing.F) {
	f.Add("app\x00--password\x00x\x00-x")
	f.Add("app\x00--token=x")
	f.Add("app\x00--use-token\x00--token\x00x")
	f.Add("sh\x00-c\x00x --api-key 'x' y")
	f.Add("psql\x00a://b:x@c")
	f.Add("curl\x00{\"secret\": \"x\"}\x00Authorization: x y")
	f.Fuzz(func(t *testing.T, line string) {
		arguments := splitArguments([]byte(line))
		out := ScrubCommandLine(arguments)
		if !strings.Contains(out, mask) {
			require.Equal(t, strings.Join(arguments, " "), out, "what is not masked is left as it was")
		}
		// An option of a secret's name hides what follows it, whatever else is on the line.
		hidden := "S3CRETVALUE"
		for _, secret := range [][]string{{"--password", hidden}, {"--password", "-" + hidden}, {"--use-token", "--password", hidden}, {"--password=" + hidden}, {"MY_TOKEN=" + hidden}, {"sh -c 'x --api_key " + hidden + "'"}} {
			require.NotContains(t, ScrubCommandLine(append(append([]string{"x"}, secret...), arguments...)), hidden)
		}
	})
}
