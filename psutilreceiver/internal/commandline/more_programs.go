package commandline

var tpm = &program{secret: "pP", takes: "cCGgLrunoxtQ", single: true}

// morePrograms are those that few lines have, by name.
var morePrograms = map[string]*program{
	// Databases.
	"clickhouse clickhouse-client clickhouse-local clickhouse-benchmark": {secret: "p", takes: "uhdcof", single: true, prefixes: []string{"--password"}},
	"cypher-shell": {secret: "p", takes: "uadf", single: true},
	"neo4j-admin":  {nth: map[string]int{"set-initial-password": everything}},
	"db2":          {inner: true, nth: map[string]int{"using": 1, "new": 1, "confirm": 1}},
	"isql iusql":   {secret: "P", takes: "SUdQqioHhst", single: true, nth: map[string]int{"": 3}},
	"gbak gfix gsec gstat nbackup isql-fb fbsvcmgr": {single: true, long: map[string]expect{
		"-pa": expectValue, "-pas": expectValue, "-PAS": expectValue, "-pw": expectValue, "-p": expectValue, "-P": expectValue,
	}},
	"sqlmap": {long: map[string]expect{"--auth-cred": expectUser}},
	// Windows networks, directories, authentication.
	"smbclient": {
		user: "U", takes: "IpDWkScLmsAnO", long: map[string]expect{"--user": expectUser}, nth: map[string]int{"": 2},
	},
	"samba-tool": {
		user: "U", takes: "IpDWkScLmsAnO", long: map[string]expect{"--user": expectUser}, nth: map[string]int{"create": 2, "add": 2},
	},
	"radtest":       {nth: map[string]int{"": 2}, also: 5, takes: "dt"},
	"radclient":     {nth: map[string]int{"": 3}, takes: "dDcfFniprtS"},
	"testsaslauthd": {secret: "p", takes: "usrfR"},
	"doveadm":       {secret: "p", takes: "sru", only: "pw", nth: map[string]int{"test": 2, "login": 2}},
	"dscl":          {nth: map[string]int{"passwd": everything}, long: map[string]expect{"-passwd": expectRest, "-authonly": expectRest}},
	"security":      {secret: "wpP", single: true},
	"pwsh powershell": {single: true, long: map[string]expect{
		"-c": expectShell, "-Command": expectShell, "-command": expectShell, "/c": expectShell, "/Command": expectShell,
	}},
	// Keys and tokens.
	"pk12util":                      {secret: "WK", takes: "iondhkwcrC", single: true},
	"certutil":                      {secret: "pP", takes: "dfnstakz", single: true},
	"ykman":                         {secret: "PnpNm", takes: "dr", single: true},
	"yubico-piv-tool":               {secret: "PN", attached: "k", takes: "asAicoHSKmr", single: true},
	"pkcs11-tool":                   {secret: "p", takes: "lOm"},
	"ccrypt ccencrypt ccdecrypt":    {secret: "KH", takes: "kESP"},
	"qpdf":                          {long: map[string]expect{"--encrypt": expectTwo}},
	"bitcoin-cli litecoin-cli":      {nth: map[string]int{"walletpassphrase": 1, "encryptwallet": 1, "importprivkey": 1, "walletpassphrasechange": everything}},
	"virsh":                         {nth: map[string]int{"secret-set-value": 2}, long: map[string]expect{"--base64": expectValue, "--secret": expectNothing}},
	"rclone":                        {nth: map[string]int{"obscure": 1}},
	"borg restic rustic":            {long: map[string]expect{"--passcommand": expectCommand, "--password-command": expectCommand}},
	"grafana-cli":                   {nth: map[string]int{"reset-admin-password": everything}},
	"vault bao":                     {nth: map[string]int{"login": 1, "unseal": 1}, literals: " put patch "},
	"consul":                        {nth: map[string]int{"set-agent-token": 2}},
	"pulumi":                        {nth: map[string]int{"set": 2}, long: map[string]expect{"--secret": expectFlag}},
	"flyctl":                        {literals: " secrets "},
	"fly":                           {secret: "p", takes: "tucn", only: "login", single: true, literals: " secrets "},
	"heroku dokku supabase doppler": {literals: " secrets config:set "},
	// Registries and clouds.
	"twine":         {secret: "p", takes: "ur", single: true},
	"gem":           {secret: "k", single: true, only: "push"},
	"cargo":         {nth: map[string]int{"login": 1}},
	"poetry":        {nth: map[string]int{"config": 3}},
	"aws":           {long: map[string]expect{"--value": expectValue, "--secret-string": expectValue}},
	"az":            {secret: "p", takes: "uevw", single: true, only: "login", long: map[string]expect{"--value": expectValue}},
	"b2 b2v3 b2v4":  {nth: map[string]int{"authorize-account": 2, "authorize_account": 2, "authorize": 2}},
	"swift":         {secret: "K", takes: "AUV", single: true},
	"gitlab-runner": {secret: "rt", takes: "un", single: true, only: "register"},
	"cloudflared":   {nth: map[string]int{"install": 1}},
	"ngrok":         {nth: map[string]int{"authtoken": 1, "add-authtoken": 1}},
	"netbird":       {secret: "k", takes: "mlc", single: true},
	"brook":         {secret: "p", takes: "ls", single: true},
	"proxytunnel":   {user: "PR", takes: "pdrasHzF", single: true},
	"ss-local ss-server ss-redir ss-tunnel ss-manager sslocal ssserver ssmanager ssservice": {secret: "k", takes: "spblmtacuifnbUA", single: true},
	// Services and games.
	"ttyd gotty":          {user: "c", takes: "piIutwsTmPCKAbo", single: true},
	"transmission-remote": {user: "n", takes: "adDuUwtoOfgGkp", single: true},
	"transmission-daemon": {secret: "v", takes: "acegpuPlLw", single: true},
	"deluge-console":      {inner: true, nth: map[string]int{"connect": 3}},
	"filebrowser":         {secret: "p", takes: "acdr", single: true, nth: map[string]int{"add": 2}},
	"mcrcon rcon":         {secret: "p", takes: "HPaA", single: true},
	"steamcmd":            {nth: map[string]int{"+login": 2}},
	"yt-dlp youtube-dl":   {secret: "p", takes: "uofr", single: true},
	"nikto nikto.pl":      {single: true, long: map[string]expect{"-id": expectUser}},
	"wfuzz":               {long: map[string]expect{"--basic": expectUser, "--ntlm": expectUser, "--digest": expectUser}},
	"fs_cli":              {secret: "p", takes: "HPudtx", single: true},
	"sipp":                {single: true, long: map[string]expect{"-ap": expectValue}},
	"irssi":               {secret: "w", takes: "cpnh", single: true},
	"mpc":                 {host: "h", takes: "pf", single: true, long: map[string]expect{"--host": expectBeforeAt}},
	"oggfwd":              {nth: map[string]int{"": 3}, takes: "dgmnu"},
}
