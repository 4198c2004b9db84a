package commandline

import "strings"

// A program says where a program takes secrets by place rather than by name, as its manual page has it. Letters are those of options with one dash.
type program struct {
	secret   string            // take a secret, attached or as the next argument
	attached string            // take a secret, attached only
	user     string            // take a user and a password with a colon, a percent sign or a comma between
	login    string            // take the same, where a user alone is taken for a token
	pairs    bool              // arguments are users and passwords with a colon between
	takes    string            // take another value, so that what follows in the argument is no option
	shell    string            // take a text that is itself a command line
	single   bool              // an argument has one option, so that not every letter in it is one
	long     map[string]expect // options with several letters, and words, by what the next argument is
	prefixes []string          // begin an argument of which the rest is a secret
	nth      map[string]int    // after a word, "" for the program's name, the argument that is a secret: options are not counted
	only     string            // the word after which the letters count, "" for everywhere: login
	host     string            // take PASSWORD@host
	also     int               // another argument that is a secret, by its number after the program's name
	literals string            // words, between blanks, after which the values of all NAME=x are secrets
	inner    bool              // an argument with blanks has more of its words
	text     int               // the argument that is itself a command line, as the one after the host is for ssh: the rest of the line, too
}

// everything makes all arguments after a word secrets.
const everything = -1

// expect is what the next argument is.
type expect uint8

const (
	expectNothing   expect = iota
	expectValue            // a secret
	expectUser             // user:password, user%password, user,password; a user alone is none
	expectSource           // as openssl-passphrase-options(1) has it: pass:SECRET, or where it is
	expectLiteral          // name=SECRET
	expectShell            // a command line
	expectSeparator        // "=" or ":", for the last word has a secret's name
	expectUntil            // the rest of a secret that has blanks, up to an escaped quote or a bracket
	expectMaybeUser        // user:password, unless it is two numbers
	expectLogin            // user:password; a user alone is a token
	expectCommand          // a command line that writes a secret, which is one if it has it in it
	expectArgument         // a secret, behind options
	expectBeforeAt         // PASSWORD@host
	expectSubject          // a secret, unless it is an option
	expectFlag             // anything: the option has no value
	expectTwo              // a secret, and another
	expectRest             // secrets only
)

var (
	mysql    = &program{attached: "p", takes: "uhPDSe", nth: map[string]int{"password": 1}}
	mongo    = &program{secret: "p", takes: "uhdcof", single: true}
	docker   = &program{secret: "p", takes: "uevw", single: true, only: "login"}
	ldap     = &program{secret: "w", takes: "DHhpbsfzlUYoEtSW"}
	ldappw   = &program{secret: "was", takes: "DHhpUYo"}
	samba    = &program{user: "U", takes: "IpDWkScLmsAnO", long: map[string]expect{"--user": expectUser}}
	rdp      = &program{secret: "p", takes: "udgnckTastxr", single: true, prefixes: []string{"/p:", "/gp:", "/pth:", "/password:", "/gateway-password:"}}
	snmp     = &program{secret: "cAX", takes: "vulaxrtnmMneEoOPC", single: true, long: map[string]expect{"-3m": expectValue, "-3M": expectValue, "-3k": expectValue, "-3K": expectValue}}
	archive  = &program{attached: "p", single: true, prefixes: []string{"-hp"}}
	zip      = &program{secret: "P", takes: "bnixdt"}
	sevenz   = &program{attached: "p", single: true}
	shells   = &program{shell: "c", takes: "oO"}
	remote   = &program{takes: "pliFoJLRDWbceImQSw", text: 2}
	mqtt     = &program{secret: "P", takes: "hptumiqLkKsr", single: true}
	sqlcmd   = &program{secret: "P", takes: "SUdQqioHhst", single: true}
	oracle   = &program{nth: map[string]int{"": 1}}
	httpie   = &program{user: "a", takes: "A", long: map[string]expect{"--auth": expectUser}}
	kubectl  = &program{long: map[string]expect{"--from-literal": expectLiteral}}
	rabbit   = &program{secret: "p", nth: map[string]int{"add_user": 2, "change_password": 2, "authenticate_user": 2}}
	ipmitool = &program{secret: "Pky", takes: "HUILAhupotmbBTlCNRSDd", single: true, nth: map[string]int{"password": everything}}
	freeipmi = &program{secret: "pk", takes: "huIlDW", single: true}
	adduser  = &program{secret: "p", takes: "cdegGsukK"}
	pdf      = &program{single: true, long: map[string]expect{"-upw": expectValue, "-opw": expectValue}}
	openssl  = &program{nth: map[string]int{"passwd": everything}, long: map[string]expect{
		"-passin": expectSource, "-passout": expectSource, "-pass": expectSource, "-password": expectSource, "-passcerts": expectSource, "-k": expectValue, "-K": expectValue, "-kfile": expectNothing,
		"-key": expectNothing, "-keyout": expectNothing, "-keyform": expectNothing, "-kdf": expectNothing, "-hmac": expectValue, "-psk": expectValue, "-srppass": expectValue, "-macopt": expectSource,
	}}
	netuse = &program{user: "U", takes: "IpDWkScLmsAnO", long: map[string]expect{"--user": expectUser}, nth: map[string]int{"use": everything, "user": 2}}
	curl   = &program{user: "E", login: "uU", secret: "b", takes: "HdXoFAeTKwmxrCDQyYztPhx", long: map[string]expect{
		"--user": expectLogin, "--proxy-user": expectLogin, "--cert": expectUser, "--proxy-cert": expectUser, "--oauth2-bearer": expectValue, "--pass": expectValue,
		"--aws-sigv4": expectNothing, "--cookie": expectValue,
	}}
)

// programs are the programs that are known, by name.
var programs = func() map[string]*program {
	table := make(map[string]*program)
	for names, p := range map[string]*program{
		"mysql mysqldump mysqladmin mysqlimport mysqlcheck mysqlshow mysqlslap mysqlbinlog mysqlpump mysql_upgrade mariadb mariadb-dump mariadb-admin " +
			"mariadb-import mariadb-check mariadb-show mariadb-slap mariadb-binlog mariadb-upgrade mariadb-backup mysqlsh mydumper myloader mycli xtrabackup innobackupex": mysql,
		"mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop mongofiles cqlsh redfishtool racadm ilorest govc esxcli crackmapexec netexec nxc evil-winrm smbmap": mongo,
		"docker podman nerdctl buildah skopeo helm oc cf crane ibmcloud harbor argocd":                                                                                                       docker,
		"ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn ldapexop ldapurl ldapvi":                                                                                 ldap, "ldappasswd": ldappw,
		"smbget smbcacls smbcquotas smbtree rpcclient winexe wmic wmis ntlm_auth smbtar cifsdd":                                                                                                 samba,
		"rdesktop xfreerdp xfreerdp3 wlfreerdp wlfreerdp3 sdl-freerdp sdl-freerdp3 mstsc":                                                                                                       rdp,
		"snmpget snmpwalk snmpgetnext snmpbulkget snmpbulkwalk snmpset snmptable snmptrap snmpinform snmpdelta snmptest snmpdf snmpstatus snmptranslate snmpusm snmpvacm snmpnetstat snmpcheck": snmp,
		"rar unrar": archive, "7z 7za 7zr 7zz p7zip": sevenz, "zip unzip zipcloak zipsplit zipnote funzip": zip,
		"sh bash dash zsh ash ksh mksh fish busybox su runuser script watch chroot sg": shells, "ssh autossh mosh slogin rsh dbclient": remote,
		"mosquitto_pub mosquitto_sub mosquitto_rr": mqtt, "sqlcmd bcp osql tsql": sqlcmd,
		"sqlplus sqlldr expdp impdp exp imp rman tnsping sqlcl": oracle,
		"http https httpie xh xhs":                              httpie, "kubectl k3s k9s kustomize microk8s": kubectl,
		"rabbitmqctl rabbitmqadmin rabbitmq-diagnostics": rabbit,
		"ipmitool": ipmitool, "ipmi-sensors ipmipower ipmiconsole ipmi-sel ipmi-chassis ipmi-fru bmc-info bmc-config ipmi-config": freeipmi, "useradd usermod": adduser,
		"pdftotext pdfinfo pdftoppm pdftops pdfimages pdffonts pdftocairo pdftohtml pdfdetach pdfseparate": pdf,
		"openssl": openssl, "curl": curl, "net": netuse,
	} {
		for name := range strings.FieldsSeq(names) {
			table[name] = p
		}
	}
	for name, p := range map[string]*program{
		"sshpass":         {secret: "p", takes: "fdP"},
		"redis-cli":       {secret: "a", takes: "hpnurisxd", single: true, nth: map[string]int{"auth": everything}},
		"valkey-cli":      {secret: "a", takes: "hpnurisxd", single: true, nth: map[string]int{"auth": everything}},
		"keydb-cli":       {secret: "a", takes: "hpnurisxd", single: true, nth: map[string]int{"auth": everything}},
		"redis-benchmark": {secret: "a", takes: "hpncdtPrsx", single: true},
		"ab":              {user: "AP", secret: "C", takes: "nctTHpuwvxXd"},
		"lftp":            {user: "u", takes: "pefc"},
		"ncftp":           {secret: "p", takes: "uP"},
		"ncftpget":        {secret: "p", takes: "uP"},
		"ncftpput":        {secret: "p", takes: "uP"},
		"ftpget":          {secret: "p", takes: "uP"},
		"ftpput":          {secret: "p", takes: "uP"},
		"htpasswd":        {},
		"chpasswd":        {takes: "cRsP", pairs: true},
		"chgpasswd":       {takes: "cRs", pairs: true},
		"newusers":        {takes: "cRs", pairs: true},
		"wpa_passphrase":  {nth: map[string]int{"": 2}},
		"slappasswd":      {secret: "s", takes: "hco"},
		"mkpasswd":        {takes: "mSRP", nth: map[string]int{"": 1}},
		"cryptpw":         {takes: "mSP", nth: map[string]int{"": 1}},
		"ssh-keygen":      {secret: "NP", takes: "tbfCORDIWnVzsmYEe"},
		"plink":           {single: true, long: map[string]expect{"-pw": expectValue, "-pwfile": expectNothing}},
		"pscp":            {single: true, long: map[string]expect{"-pw": expectValue}},
		"psftp":           {single: true, long: map[string]expect{"-pw": expectValue}},
		"nsupdate":        {secret: "y", takes: "kptuRrL"},
		"dig":             {secret: "y", takes: "kptqxbcf", single: true},
		"nmcli":           {long: map[string]expect{"password": expectValue, "wifi-sec.psk": expectValue, "802-11-wireless-security.psk": expectValue}},
		"wpa_cli":         {long: map[string]expect{"psk": expectValue, "passphrase": expectValue}},
		"iw":              {long: map[string]expect{"key": expectValue, "keys": expectValue}},
		"iwconfig":        {long: map[string]expect{"key": expectValue, "enc": expectValue}},
		"pdftk":           {long: map[string]expect{"user_pw": expectValue, "owner_pw": expectValue, "input_pw": expectValue}},
		"mc":              {nth: map[string]int{"set": 4, "add": 4}},
		"keyctl":          {nth: map[string]int{"add": 3, "padd": 3, "update": 2}},
		"secret-tool":     {},
		"sendemail":       {single: true, long: map[string]expect{"-xp": expectValue}},
		"swaks":           {single: true, long: map[string]expect{"-ap": expectValue}},
		"msmtp":           {},
		"pppd":            {long: map[string]expect{"password": expectValue}},
		"openconnect":     {},
		"expect":          {shell: "c"},
		"smbpasswd":       {takes: "crUDR"},
		"vncviewer":       {single: true, long: map[string]expect{"-passwd": expectNothing, "-password": expectValue}},
		"x11vnc":          {single: true, long: map[string]expect{"-passwd": expectValue, "-viewpasswd": expectValue}},
		"vncdo":           {secret: "p", takes: "s"},
		"vncdotool":       {secret: "p", takes: "s"},
		"pkcs15-tool":     {},
		"hydra":           {secret: "p", takes: "lLPCMostwW"},
		"medusa":          {secret: "p", takes: "huUHPM"},
		"svnsync":         {},
		"winrs":           {prefixes: []string{"-p:", "/p:"}},
		"cadaver":         {takes: "r"},
		"etcdctl":         {long: map[string]expect{"--user": expectUser}},
		"influx":          {secret: "t", takes: "o", single: true},
		"doctl":           {secret: "t", single: true},
		"consul":          {},
		"impacket-psexec": {},
		"siege":           {takes: "HA"},
		"iscsiadm":        {long: map[string]expect{"-v": expectValue}},
		"ipmi":            {},
		"fusermount":      {},
	} {
		if p.secret+p.attached+p.user+p.shell+p.host != "" || p.long != nil || p.nth != nil || p.prefixes != nil || p.pairs || name == "htpasswd" {
			table[name] = p
		}
	}
	for names, p := range morePrograms {
		for name := range strings.FieldsSeq(names) {
			table[name] = p
		}
	}
	return table
}()

// programOf returns the program that a word names, nil if it names none that is known.
func programOf(word string) *program {
	name := word[strings.LastIndexByte(word, '/')+1:]
	if at := strings.LastIndexAny(name, ";|&("); at >= 0 {
		name = name[at+1:]
	}
	name = strings.TrimSuffix(name, ".exe")
	if len(name) < 2 || len(name) > 24 {
		return nil
	}
	if p := programs[name]; p != nil {
		return p
	}
	switch {
	case strings.HasPrefix(name, "fence_"):
		return mongo // Fence agents take a password with -p.
	case strings.HasPrefix(name, "tpm2_"):
		return tpm
	}
	return nil
}
