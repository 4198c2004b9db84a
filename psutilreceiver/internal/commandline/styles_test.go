package commandline

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// hidden stands for a secret.
const hidden = "S3cretV4lue"

// styles are ways in which secrets are given to programs, and lines without any: the arguments, with bars between, § for the secret and ¦ for a bar that is
// part of an argument; and what is visible of them, with * for the mask. The places are those of the programs' manual pages.
var styles = [][2]string{
	{`mysql|-p§`, `mysql -p*`},
	{`mysql|-uroot|-p§|db`, `mysql -uroot -p* db`},
	{`mysql|-u|root|-p§|-h|db1|shop`, `mysql -u root -p* -h db1 shop`},
	{`/usr/bin/mysqldump|--single-transaction|-p§|shop`, `/usr/bin/mysqldump --single-transaction -p* shop`},
	{`mysqladmin|-u|root|password|§`, `mysqladmin -u root password *`},
	{`mysqladmin|-uroot|-p§|ping`, `mysqladmin -uroot -p* ping`},
	{`mariadb|-p§`, `mariadb -p*`},
	{`mariadb-dump|-h|h|-p§|db`, `mariadb-dump -h h -p* db`},
	{`mysql|--password=§`, `mysql --password=*`},
	{`mysql|--password|§`, `mysql --password *`},
	{`sshpass|-p|§|ssh|joe@host|uptime`, `sshpass -p * ssh joe@host uptime`},
	{`sshpass|-p§|ssh|joe@host`, `sshpass -p* ssh joe@host`},
	{`redis-cli|-a|§|ping`, `redis-cli -a * ping`},
	{`redis-cli|-h|cache|-p|6379|-a|§|info`, `redis-cli -h cache -p 6379 -a * info`},
	{`redis-cli|--pass|§`, `redis-cli --pass *`},
	{`redis-cli|AUTH|joe|§`, `redis-cli AUTH * *`},
	{`redis-cli|config|set|requirepass|§`, `redis-cli config set requirepass *`},
	{`curl|-u|joe:§|http://host/`, `curl -u joe:* http://host/`},
	{`curl|-sSu|joe:§|http://host/`, `curl -sSu joe:* http://host/`},
	{`curl|-ujoe:§|http://host/`, `curl -ujoe:* http://host/`},
	{`curl|--user|joe:§|http://host/`, `curl --user joe:* http://host/`},
	{`curl|--user=joe:§|http://host/`, `curl --user=joe:* http://host/`},
	{`curl|-U|joe:§|-x|proxy:3128|http://host/`, `curl -U joe:* -x proxy:3128 http://host/`},
	{`curl|--proxy-user|joe:§|http://host/`, `curl --proxy-user joe:* http://host/`},
	{`curl|-u|ghp_abcdefghijklmnopqrstuvwxyz0123456789:|https://api.github.com/`, `curl -u *:* https://api.github.com/`},
	{`curl|-u|§:|https://api.stripe.com/`, `curl -u *:* https://api.stripe.com/`},
	{`curl|-H|Authorization: Bearer §|https://host/`, `curl -H Authorization: * https://host/`},
	{`curl|-H|authorization: basic §==|https://host/`, `curl -H authorization: * https://host/`},
	{`curl|-HAuthorization: Bearer §|https://host/`, `curl -HAuthorization: * https://host/`},
	{`curl|-H|X-Api-Key: §|https://host/`, `curl -H X-Api-Key: * https://host/`},
	{`curl|-H|X-Auth-Token:§|https://host/`, `curl -H X-Auth-Token:* https://host/`},
	{`curl|-H|PRIVATE-TOKEN: §|https://host/`, `curl -H PRIVATE-TOKEN: * https://host/`},
	{`curl|-H|Cookie: session=§; theme=dark|https://host/`, `curl -H Cookie: * https://host/`},
	{`curl|--header=Cookie: a=§|https://host/`, `curl --header=Cookie: * https://host/`},
	{`curl|-b|session=§|https://host/`, `curl -b * https://host/`},
	{`curl|--cookie|session=§; a=b|https://host/`, `curl --cookie * https://host/`},
	{`curl|--oauth2-bearer|§|https://host/`, `curl --oauth2-bearer * https://host/`},
	{`curl|-E|cert.pem:§|https://host/`, `curl -E cert.pem:* https://host/`},
	{`curl|--cert|cert.pem:§|https://host/`, `curl --cert cert.pem:* https://host/`},
	{`curl|-d|user=joe&password=§&n=1|https://host/`, `curl -d user=joe&password=*&n=1 https://host/`},
	{`curl|-d|{"user": "joe", "password": "§ x", "n": 1}|https://host/`, `curl -d {"user": "joe", "password": *, "n": 1} https://host/`},
	{`curl|-d|{"user":"joe","password":"§","n":1}|https://host/`, `curl -d {"user":"joe","password":*,"n":1} https://host/`},
	{`curl|-d|{"password" : "§", "n": 1}|https://host/`, `curl -d {"password" : *, "n": 1} https://host/`},
	{`curl|-d|{\"user\": \"joe\", \"password\": \"§ y §\", \"n\": 1}|https://host/`, `curl -d {\"user\": \"joe\", \"password\": * * *, \"n\": 1} https://host/`},
	{`curl|-d|{"tokens": ["§", "§"], "n": 1}|https://host/`, `curl -d {"tokens": * *, "n": 1} https://host/`},
	{`curl|-d|{"auth": {"user": "joe", "password": "§"}, "n": 1}|https://host/`, `curl -d {"auth": {"user": "joe", "password": *}, "n": 1} https://host/`},
	{`curl|https://joe:§@host/path`, `curl https://joe:*@host/path`},
	{`curl|https://§@github.com/org/repo`, `curl https://*@github.com/org/repo`},
	{`curl|https://host/a?token=§&x=1`, `curl https://host/a?token=*&x=1`},
	{`curl|https://host/a?x=1&sig=§&y=2`, `curl https://host/a?x=1&sig=*&y=2`},
	{`curl|https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4&X-Amz-Signature=§`, `curl https://b.s3.amazonaws.com/k?X-Amz-Algorithm=AWS4&X-Amz-Signature=*`},
	{`curl|https://b.s3.amazonaws.com/k?X-Amz-Credential=§&X-Amz-Date=20260101T000000Z`, `curl https://b.s3.amazonaws.com/k?X-Amz-Credential=*&X-Amz-Date=20260101T000000Z`},
	{`curl|https://x.blob.core.windows.net/c/b?sv=2022&sr=b&sig=§%3D`, `curl https://x.blob.core.windows.net/c/b?sv=2022&sr=b&sig=*`},
	{`curl|https://maps.googleapis.com/maps?key=§&q=x`, `curl https://maps.googleapis.com/maps?key=*&q=x`},
	{`curl|https://hooks.slack.com/services/T0000/B0000/§`, `curl https://hooks.slack.com/services/*`},
	{`curl|https://api.telegram.org/bot12345:§/sendMessage`, `curl https://api.telegram.org/bot*`},
	{`curl|https://discord.com/api/webhooks/1/§`, `curl https://discord.com/api/webhooks/*`},
	{`wget|--password=§|--user=joe|https://host/`, `wget --password=* --user=joe https://host/`},
	{`wget|--http-password|§|https://host/`, `wget --http-password * https://host/`},
	{`wget|--header=Authorization: Bearer §|https://host/`, `wget --header=Authorization: * https://host/`},
	{`wget|ftp://joe:§@host/file`, `wget ftp://joe:*@host/file`},
	{`http|-a|joe:§|https://host/`, `http -a joe:* https://host/`},
	{`http|--auth=joe:§|https://host/`, `http --auth=joe:* https://host/`},
	{`ab|-A|joe:§|http://host/`, `ab -A joe:* http://host/`},
	{`psql|postgresql://joe:§@db:5432/x?sslmode=off`, `psql postgresql://joe:*@db:5432/x?sslmode=off`},
	{`psql|postgresql://joe:§/§@§@db/x`, `psql postgresql://joe:*@db/x`},
	{`psql|host=db user=joe password=§ dbname=x`, `psql host=db user=joe password=* dbname=x`},
	{`psql|-c|ALTER USER joe PASSWORD '§'`, `psql -c ALTER USER joe PASSWORD *`},
	{`mysql|-e|CREATE USER joe IDENTIFIED BY '§'`, `mysql -e CREATE USER joe IDENTIFIED BY *`},
	{`env|PGPASSWORD=§|psql|-h|db`, `env PGPASSWORD=* psql -h db`},
	{`env|MYSQL_PWD=§|mysql`, `env MYSQL_PWD=* mysql`},
	{`env|DB_PASS=§|app`, `env DB_PASS=* app`},
	{`env|REDISCLI_AUTH=§|redis-cli`, `env REDISCLI_AUTH=* redis-cli`},
	{`env|A_TOKEN=§|prog|--x`, `env A_TOKEN=* prog --x`},
	{`env|AWS_SECRET_ACCESS_KEY=§|AWS_REGION=eu|aws|s3|ls`, `env AWS_SECRET_ACCESS_KEY=* AWS_REGION=eu aws s3 ls`},
	{`env|AWS_SESSION_TOKEN=§|aws`, `env AWS_SESSION_TOKEN=* aws`},
	{`env|GITHUB_TOKEN=§|HOME=/root|gh`, `env GITHUB_TOKEN=* HOME=/root gh`},
	{`env|PASSPHRASE=§ with blanks|app`, `env PASSPHRASE=* app`},
	{`env|STRIPE_KEY=§|app`, `env STRIPE_KEY=* app`},
	{`env|SENTRY_DSN=https://§@sentry.io/1|app`, `env SENTRY_DSN=* app`},
	{`java|-Dspring.datasource.pass=§|-Xmx1g|-jar|x.jar`, `java -Dspring.datasource.pass=* -Xmx1g -jar x.jar`},
	{`java|-Dspring.datasource.password=§|-jar|x.jar`, `java -Dspring.datasource.password=* -jar x.jar`},
	{`java|-Djavax.net.ssl.keyStorePassword=§|-jar|x.jar`, `java -Djavax.net.ssl.keyStorePassword=* -jar x.jar`},
	{`java|-jar|x.jar|--spring.datasource.password=§`, `java -jar x.jar --spring.datasource.password=*`},
	{`java|-Ddb.pwd=§|Main`, `java -Ddb.pwd=* Main`},
	{`keytool|-storepass|§|-keypass|§|-list`, `keytool -storepass * -keypass * -list`},
	{`jarsigner|-storepass|§|x.jar|alias`, `jarsigner -storepass * x.jar alias`},
	{`app|--password|§|--port|5432`, `app --password * --port 5432`},
	{`app|--password=§ with blanks|--port=5432`, `app --password=* --port=5432`},
	{`app|--password|-§|--port|5432`, `app --password * --port 5432`},
	{`app|--password = §`, `app --password = *`},
	{`app|password = §`, `app password = *`},
	{`app|password =§`, `app password =*`},
	{`app|password: §`, `app password: *`},
	{`app|--password|=|§`, `app --password = *`},
	{`app|--api-key|§|--api_key=§|--APIKEY=§|-apiKey=§`, `app --api-key * --api_key=* --APIKEY=* -apiKey=*`},
	{`app|--client-secret|§`, `app --client-secret *`},
	{`app|--clientSecret=§`, `app --clientSecret=*`},
	{`app|--secret-id=§`, `app --secret-id=*`},
	{`app|--token §|-x`, `app --token * -x`},
	{`app|--db-pass|§|--passive|y`, `app --db-pass * --passive y`},
	{`app|-pw|§`, `app -pw *`},
	{`app|/password:§`, `app /password:*`},
	{`app|Server=h;User Id=joe;Password=§;Database=x`, `app Server=h;User Id=joe;Password=*;Database=x`},
	{`app|AccountName=x;AccountKey=§==;EndpointSuffix=core`, `app AccountName=x;AccountKey=*;EndpointSuffix=core`},
	{`app|Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=§=`, `app Endpoint=sb://x/;SharedAccessKeyName=Root;SharedAccessKey=*`},
	{`app|joe:§@tcp(db:3306)/x`, `app joe:*@tcp(db:3306)/x`},
	{`app|--dsn=joe:§@tcp(db:3306)/x`, `app --dsn=*`},
	{`app|--proxy|joe:§@proxy:3128`, `app --proxy joe:*@proxy:3128`},
	{`app|--proxy=http://joe:§@proxy:3128`, `app --proxy=http://joe:*@proxy:3128`},
	{`app|amqp://joe:§@mq:5672/`, `app amqp://joe:*@mq:5672/`},
	{`app|redis://:§@cache:6379/0`, `app redis://:*@cache:6379/0`},
	{`app|mongodb+srv://joe:§@c.mongodb.net/x?retryWrites=true`, `app mongodb+srv://joe:*@c.mongodb.net/x?retryWrites=true`},
	{`app|jdbc:postgresql://db/x?user=joe&password=§`, `app jdbc:postgresql://db/x?user=joe&password=*`},
	{`app|ghp_abcdefghijklmnopqrstuvwxyz0123456789`, `app *`},
	{`app|gho_abcdefghijklmnopqrstuvwxyz0123456789`, `app *`},
	{`app|--x=github_pat_11AAAAAAA0abcdefghijkl_mnopqrstuvwxyz`, `app --x=*`},
	{`app|glpat-abcdefghijklmnopqrst`, `app *`},
	{`app|xoxb-123456789012-123456789012-abcdefghijkl`, `app *`},
	{`app|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-DEF_ghi`, `app *`},
	{`app|--jwt|eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc`, `app --jwt *`},
	{`app|AKIAIOSFODNN7EXAMPLE`, `app *`},
	{`s3cmd|AKIAIOSFODNN7EXAMPLE|wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`, `s3cmd * *`},
	{`app|AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`, `app *`},
	{`app|sk-abcdefghijklmnopqrstuvwxyz`, `app *`},
	{`app|sk_live_abcdefghijklmnop`, `app *`},
	{`app|SG.abcdefghijklmnopqrstuv.abcdefghijklmnop`, `app *`},
	{`app|AIzaSyA-abcdefghijklmnopqrstuvwxyz01234`, `app *`},
	{`app|npm_abcdefghijklmnopqrstuvwxyz0123456789`, `app *`},
	{`app|hvs.CAESIabcdefghijklmnopqrst`, `app *`},
	{`app|-----BEGIN RSA PRIVATE KEY-----§-----END RSA PRIVATE KEY-----`, `app *`},
	{`app|dckr_pat_abcdefghijklmnopqrstuvwxyz`, `app *`},
	{`mongo|-u|joe|-p|§|db`, `mongo -u joe -p * db`},
	{`mongosh|--username|joe|--password|§`, `mongosh --username joe --password *`},
	{`mongodump|-p|§|--uri=mongodb://h/`, `mongodump -p * --uri=mongodb://h/`},
	{`ldapsearch|-D|cn=admin|-w|§|-b|dc=x`, `ldapsearch -D cn=admin -w * -b dc=x`},
	{`ldapsearch|-x|-D|cn=admin|-w§`, `ldapsearch -x -D cn=admin -w*`},
	{`ldappasswd|-s|§|-w|§|uid=x`, `ldappasswd -s * -w * uid=x`},
	{`openssl|rsa|-in|k.pem|-passin|pass:§`, `openssl rsa -in k.pem -passin pass:*`},
	{`openssl|enc|-aes-256-cbc|-k|§|-in|x`, `openssl enc -aes-256-cbc -k * -in x`},
	{`openssl|pkcs12|-export|-passout|pass:§|-out|x`, `openssl pkcs12 -export -passout pass:* -out x`},
	{`openssl|rsa|-in|k.pem|-passin|file:/etc/pw`, `openssl rsa -in k.pem -passin file:/etc/pw`},
	{`openssl|passwd|-1|§`, `openssl passwd -1 *`},
	{`smbclient|-U|joe%§|//host/share`, `smbclient -U joe%* //host/share`},
	{`smbclient|//host/share|-Ujoe%§`, `smbclient //host/share -Ujoe%*`},
	{`rpcclient|-U|joe%§|host`, `rpcclient -U joe%* host`},
	{`net|ads|join|-U|joe%§`, `net ads join -U joe%*`},
	{`mount|-t|cifs|-o|username=joe,password=§,vers=3|//h/s|/mnt`, `mount -t cifs -o username=joe,password=*,vers=3 //h/s /mnt`},
	{`rdesktop|-u|joe|-p|§|host`, `rdesktop -u joe -p * host`},
	{`xfreerdp|/u:joe|/p:§|/v:host`, `xfreerdp /u:joe /p:* /v:host`},
	{`xfreerdp|/v:host|/password:§`, `xfreerdp /v:host /password:*`},
	{`vncviewer|-password|§|host:1`, `vncviewer -password * host:1`},
	{`x11vnc|-passwd|§`, `x11vnc -passwd *`},
	{`htpasswd|-b|/etc/htpasswd|joe|§`, `htpasswd -b /etc/htpasswd joe *`},
	{`htpasswd|-nb|joe|§`, `htpasswd -nb joe *`},
	{`htpasswd|-bc|/etc/htpasswd|joe|§`, `htpasswd -bc /etc/htpasswd joe *`},
	{`zip|-P|§|a.zip|b`, `zip -P * a.zip b`},
	{`zip|-rP|§|a.zip|dir`, `zip -rP * a.zip dir`},
	{`unzip|-P|§|a.zip`, `unzip -P * a.zip`},
	{`7z|a|-p§|a.7z|dir`, `7z a -p* a.7z dir`},
	{`7z|x|-p§|-oout|a.7z`, `7z x -p* -oout a.7z`},
	{`rar|a|-hp§|a.rar`, `rar a -hp* a.rar`},
	{`unrar|x|-p§|a.rar`, `unrar x -p* a.rar`},
	{`gpg|--batch|--passphrase|§|-d|x`, `gpg --batch --passphrase * -d x`},
	{`cryptsetup|luksOpen|--key-file|/etc/key|/dev/sda1|x`, `cryptsetup luksOpen --key-file /etc/key /dev/sda1 x`},
	{`ipmitool|-H|bmc|-U|joe|-P|§|sdr`, `ipmitool -H bmc -U joe -P * sdr`},
	{`ipmi-sensors|-h|bmc|-u|joe|-p|§`, `ipmi-sensors -h bmc -u joe -p *`},
	{`snmpget|-v|2c|-c|§|host|oid`, `snmpget -v 2c -c * host oid`},
	{`snmpwalk|-v3|-u|joe|-A|§|-X|§|host`, `snmpwalk -v3 -u joe -A * -X * host`},
	{`snmpwalk|-v2c|-c§|host`, `snmpwalk -v2c -c* host`},
	{`rsync|-a|rsync://joe:§@host/mod|/x`, `rsync -a rsync://joe:*@host/mod /x`},
	{`git|clone|https://§@github.com/org/repo`, `git clone https://*@github.com/org/repo`},
	{`git|clone|https://§:x-oauth-basic@github.com/org/repo`, `git clone https://*@github.com/org/repo`},
	{`git|clone|https://oauth2:§@gitlab.com/org/repo`, `git clone https://oauth2:*@gitlab.com/org/repo`},
	{`git|-c|http.extraheader=AUTHORIZATION: basic §|fetch`, `git -c http.extraheader=AUTHORIZATION: * fetch`},
	{`docker|login|-u|joe|-p|§|registry`, `docker login -u joe -p * registry`},
	{`docker|login|--password=§|registry`, `docker login --password=* registry`},
	{`docker|run|-e|MYSQL_ROOT_PASSWORD=§|-p|3306:3306|mysql:8`, `docker run -e MYSQL_ROOT_PASSWORD=* -p 3306:3306 mysql:8`},
	{`docker|run|--env=DB_PASS=§|--name|x|image`, `docker run --env=DB_PASS=* --name x image`},
	{`docker|exec|db|mysql|-uroot|-p§`, `docker exec db mysql -uroot -p*`},
	{`helm|registry|login|-u|joe|-p|§|reg`, `helm registry login -u joe -p * reg`},
	{`helm|install|x|chart|--set|db.password=§`, `helm install x chart --set db.password=*`},
	{`kubectl|--token|§|get|pods`, `kubectl --token * get pods`},
	{`kubectl|--token=§|get|pods`, `kubectl --token=* get pods`},
	{`kubectl|create|secret|generic|x|--from-literal=k=§`, `kubectl create secret generic x --from-literal=k=*`},
	{`kubectl|create|secret|generic|x|--from-literal|k=§`, `kubectl create secret generic x --from-literal k=*`},
	{`kubectl|config|set-credentials|joe|--password=§`, `kubectl config set-credentials joe --password=*`},
	{`az|login|--service-principal|-u|id|-p|§`, `az login --service-principal -u id -p *`},
	{`az|storage|blob|list|--account-key|§`, `az storage blob list --account-key *`},
	{`aws|configure|set|aws_secret_access_key|§`, `aws configure set aws_secret_access_key *`},
	{`gcloud|auth|login|--access-token=§`, `gcloud auth login --access-token=*`},
	{`vault|login|§`, `vault login *`},
	{`vault|write|auth/approle/login|role_id=x|secret_id=§`, `vault write auth/approle/login role_id=x secret_id=*`},
	{`vault|operator|unseal|§`, `vault operator unseal *`},
	{`consul|kv|get|-token=§|x`, `consul kv get -token=* x`},
	{`oc|login|--token=§|https://api`, `oc login --token=* https://api`},
	{`mc|alias|set|x|https://s3|AKEY|§`, `mc alias set x https://s3 AKEY *`},
	{`rclone|--sftp-pass|§|ls|x:`, `rclone --sftp-pass * ls x:`},
	{`rabbitmqctl|add_user|joe|§`, `rabbitmqctl add_user joe *`},
	{`rabbitmqctl|change_password|joe|§`, `rabbitmqctl change_password joe *`},
	{`mosquitto_pub|-u|joe|-P|§|-t|x`, `mosquitto_pub -u joe -P * -t x`},
	{`sqlcmd|-S|h|-U|sa|-P|§`, `sqlcmd -S h -U sa -P *`},
	{`sqlplus|joe/§@db`, `sqlplus joe/*@db`},
	{`lftp|-u|joe,§|host`, `lftp -u joe,* host`},
	{`plink|-pw|§|joe@host`, `plink -pw * joe@host`},
	{`wpa_passphrase|ssid|§`, `wpa_passphrase ssid *`},
	{`nmcli|dev|wifi|connect|ssid|password|§`, `nmcli dev wifi connect ssid password *`},
	{`ssh-keygen|-t|ed25519|-N|§|-f|key`, `ssh-keygen -t ed25519 -N * -f key`},
	{`useradd|-p|§|joe`, `useradd -p * joe`},
	{`pdftotext|-upw|§|x.pdf`, `pdftotext -upw * x.pdf`},
	{`swaks|--auth-password|§|-ap|§`, `swaks --auth-password * -ap *`},
	{`nsupdate|-y|hmac-sha256:name:§`, `nsupdate -y *`},
	{`sh|-c|mysql -p§ db`, `sh -c mysql -p* db`},
	{`sh|-c|mysqldump -u root -p'§ x' db > /tmp/x`, `sh -c mysqldump -u root -p* db > /tmp/x`},
	{`bash|-c|DB_PASSWORD=§ prog --verbose`, `bash -c DB_PASSWORD=* prog --verbose`},
	{`bash|-lc|export TOKEN=§; prog --verbose`, `bash -lc export TOKEN=*; prog --verbose`},
	{`bash|-c|curl -H "Authorization: Bearer §" https://host/ && echo done`, `bash -c curl -H "Authorization: *" https://host/ && echo done`},
	{`bash|-c|curl -u joe:§ https://host/ ¦ jq .`, `bash -c curl -u joe:* https://host/ | jq .`},
	{`bash|-c|sshpass -p '§' ssh joe@host "mysql -p§ db"`, `bash -c sshpass -p * ssh joe@host "mysql -p* db"`},
	{`ssh|host|mysql -p§ db`, `ssh host mysql -p* db`},
	{`ssh|-p|22|joe@host|mysql|-p§|db`, `ssh -p 22 joe@host mysql -p* db`},
	{`su|-|joe|-c|redis-cli -a § ping`, `su - joe -c redis-cli -a * ping`},
	{`sudo|-u|joe|mysql|-p§`, `sudo -u joe mysql -p*`},
	{`timeout|5|redis-cli|-a|§`, `timeout 5 redis-cli -a *`},
	{`watch|mysql -p§ -e status`, `watch mysql -p* -e status`},
	{`sh|-c|app --token § --n 1 && PASSWORD='§ y' go`, `sh -c app --token * --n 1 && PASSWORD=* go`},
	{`sh|-c|app --opt="a b --password §" -x`, `sh -c app --opt="a b --password *" -x`},
	{`python|-c|connect(password='§', host='x')`, `python -c connect(password=*, host='x')`},
	{`ruby|-e|connect(:password => "§", :host => "x")`, `ruby -e connect(:password => *, :host => "x")`},
	{`postgres: joe password=§ idle`, `postgres: joe password=* idle`},
	{`mysql -uroot -p§`, `mysql -uroot -p*`},
	{`nginx|-c|/etc/nginx.conf`, `nginx -c /etc/nginx.conf`},
	{`sort|-k|2|--key=3`, `sort -k 2 --key=3`},
	{`ssh|-i|/home/joe/.ssh/id|joe@host`, `ssh -i /home/joe/.ssh/id joe@host`},
	{`app|--ssl-key|/etc/tls/key.pem|--ssl-cert|/etc/tls/cert.pem`, `app --ssl-key /etc/tls/key.pem --ssl-cert /etc/tls/cert.pem`},
	{`app|--tls-key=/etc/tls/key.pem`, `app --tls-key=/etc/tls/key.pem`},
	{`app|--password-file=/run/secrets/x|--token-file|/run/x`, `app --password-file=/run/secrets/x --token-file /run/x`},
	{`app|--passive|--compass=x|--bypass|y`, `app --passive --compass=x --bypass y`},
	{`app|--max-tokens|100|--tokenizer=x`, `app --max-tokens 100 --tokenizer=x`},
	{`env|PWD=/home/joe|OLDPWD=/|app`, `env PWD=/home/joe OLDPWD=/ app`},
	{`docker|run|--user|1000:1000|-v|/etc/passwd:/etc/passwd:ro|image`, `docker run --user 1000:1000 -v /etc/passwd:/etc/passwd:ro image`},
	{`docker|run|-p|8080:80|image@sha256:abc`, `docker run -p 8080:80 image@sha256:abc`},
	{`get|http://host:8080/a?b=c`, `get http://host:8080/a?b=c`},
	{`java|-Xmx1g|-cp|a.jar:b.jar|Main`, `java -Xmx1g -cp a.jar:b.jar Main`},
	{`sshd: joe@pts/0`, `sshd: joe@pts/0`},
	{`rsync|-a|joe@host:/src/|/dst/`, `rsync -a joe@host:/src/ /dst/`},
	{`npm|install|npm:react@18`, `npm install npm:react@18`},
	{`postgres|-D|/var/lib/postgres`, `postgres -D /var/lib/postgres`},
	{`/usr/bin/python3|-m|http.server|--bind|127.0.0.1`, `/usr/bin/python3 -m http.server --bind 127.0.0.1`},
	{`kworker/0:1-events`, `kworker/0:1-events`},
	{`app|--sort-key=name|--public-key|abc|--partition-key=id`, `app --sort-key=name --public-key abc --partition-key=id`},
	{`chrome|--type=renderer|--lang=en|--field-trial-handle=1,2,3`, `chrome --type=renderer --lang=en --field-trial-handle=1,2,3`},
	{`sh|-c|echo § ¦ docker login -u joe --password-stdin`, `sh -c echo * | docker login -u joe --password-stdin`},
	{`sh|-c|echo '§' ¦ sudo -S apt update`, `sh -c echo * | sudo -S apt update`},
	{`env|LDAP_BIND_PW=§|app`, `env LDAP_BIND_PW=* app`},
	{`slappasswd|-s|§`, `slappasswd -s *`},
	{`app|{"password" : 12§, "n": 1}`, `app {"password" : *, "n": 1}`},
	{`mysql|-e|SET PASSWORD FOR joe = PASSWORD('§')`, `mysql -e SET PASSWORD FOR joe = PASSWORD(*)`},
	{`mysql|-e|CREATE USER joe IDENTIFIED WITH mysql_native_password BY '§'`, `mysql -e CREATE USER joe IDENTIFIED WITH mysql_native_password BY *`},
	{`app|--user|joe:§`, `app --user joe:*`},
	{`app|https://host/cb?code=§&state=1`, `app https://host/cb?code=*&state=1`},
	{`app|https://host/cb#access_token=§`, `app https://host/cb#access_token=*`},
	{`sh|-c|ssh host 'mysql -p§ db'`, `sh -c ssh host 'mysql -p* db'`},
	{`bash|-c|cd /x;mysql -p§ db`, `bash -c cd /x;mysql -p* db`},
}

// argumentsOf are those of a style, with a text in the place of the secret.
func argumentsOf(style, secret string) []string {
	arguments := strings.Split(style, "|")
	for i, a := range arguments {
		arguments[i] = strings.ReplaceAll(strings.ReplaceAll(a, "§", secret), "¦", "|")
	}
	return arguments
}

func TestStyles(t *testing.T) {
	assert.GreaterOrEqual(t, len(styles), 200)
	for _, style := range styles {
		got := Masked(argumentsOf(style[0], hidden))
		assert.NotContains(t, got, hidden, style[0])
		assert.Equal(t, strings.ReplaceAll(style[1], "*", mask), got, style[0])
	}
}

// TestSecretsOfAnyForm pins that it does not matter what a secret looks like where its place or its name tells.
func TestSecretsOfAnyForm(t *testing.T) {
	for _, secret := range []string{"hunter2", "1234567", "p@ssw0rd!x", "Tr0ub4dor+3", "correct-horse", "ünïcode-secret", "aaaabbbbccccddddeeeeffff00001111"} {
		for _, style := range styles {
			if !strings.Contains(style[0], "§") || strings.Contains(style[0], "§/§") && strings.Contains(secret, "@") {
				continue // Which of several @ ends a password that has slashes, too, can't be known.
			}
			assert.NotContains(t, Masked(argumentsOf(style[0], secret)), secret, style[0])
		}
	}
}

// TestStylesWithinOthers pins that a line is masked as well within the text of a shell.
func TestStylesWithinOthers(t *testing.T) {
	for _, style := range styles {
		line := argumentsOf(style[0], hidden)
		if !strings.Contains(style[0], "§") || strings.ContainsAny(style[0], "'¦\\<>;&(\"") {
			continue
		}
		for i, a := range line {
			if strings.Contains(a, " ") {
				line[i] = `"` + a + `"`
			}
		}
		text := strings.Join(line, " ")
		for _, around := range [][]string{{"sh", "-c", text}, {"bash", "-lc", "cd /srv && " + text}, {"sudo", "sh", "-c", text}, {"ssh", "host", text}, {text}} {
			assert.NotContains(t, Masked(around), hidden, "%q", around)
		}
	}
}
