package commandline

import "strings"

// form is what the tokens of one issuer look like.
type form struct {
	prefix string
	least  int // bytes that follow
}

// forms have the tokens that can be told by how they begin, by their first letter.
var forms = byFirstLetter([]form{
	{"ghp_", 16},
	{"gho_", 16},
	{"ghu_", 16},
	{"ghs_", 16},
	{"ghr_", 16},
	{"github_pat_", 16}, // GitHub
	{"glpat-", 10},
	{"gldt-", 10},
	{"glrt-", 10},
	{"glcbt-", 10},
	{"glptt-", 10},
	{"glft-", 10},
	{"glsoat-", 10},
	{"gloas-", 10},
	{"glagent-", 10}, // GitLab
	{"xoxb-", 8},
	{"xoxp-", 8},
	{"xoxa-", 8},
	{"xoxr-", 8},
	{"xoxs-", 8},
	{"xoxe-", 8},
	{"xoxc-", 8},
	{"xoxd-", 8},
	{"xoxe.", 8},
	{"xapp-", 8}, // Slack
	{"eyJ", 16},  // JSON Web Token: base64 of {"
	{"sk-", 16},
	{"sk_live_", 8},
	{"sk_test_", 8},
	{"rk_live_", 8},
	{"rk_test_", 8},
	{"whsec_", 8}, // OpenAI, Anthropic, Stripe
	{"SG.", 16},
	{"AIza", 30},
	{"ya29.", 16},
	{"GOCSPX-", 16},
	{"1//0", 20}, // SendGrid, Google
	{"npm_", 20},
	{"pypi-", 20},
	{"rubygems_", 20},
	{"dckr_pat_", 16},
	{"dop_v1_", 16},
	{"doo_v1_", 16},
	{"dor_v1_", 16},
	{"shpat_", 16},
	{"shpss_", 16},
	{"shpca_", 16},
	{"shppa_", 16},
	{"hf_", 20},
	{"hvs.", 16},
	{"hvb.", 16},
	{"hvr.", 16},
	{"lin_api_", 16},
	{"sq0atp-", 16},
	{"sq0csp-", 16},
	{"glsa_", 16},
	{"glc_", 16},
	{"tskey-", 10},
	{"xkeysib-", 16},
	{"PMAK-", 16},
	{"NRAK-", 16},
	{"ATATT3", 16},
	{"ATCTT3", 16},
	{"ops_eyJ", 16},
	{"sbp_", 20},
	{"dp.pt.", 16},
	{"pat-", 30},
	{"figd_", 16},
	{"phc_", 20},
	{"phx_", 20},
	{"secret_", 20},
	{"ntn_", 20},
	{"key-", 30},
	{"SK", 32},
	{"AGE-SECRET-KEY-1", 16},
	{"r8_", 20},
	{"gsk_", 20},
	{"pplx-", 20},
	{"xai-", 20},
	{"nvapi-", 20},
	{"fo1_", 16},
	{"FlyV1", 16},
	{"EAAC", 30},
	{"sntrys_", 16},
	{"sntryu_", 16},
	{"pscale_", 16},
	{"duffel_", 16},
	{"atlasv1.", 16},
	{"CFPAT-", 16},
	{"dapi", 30},
	{"rpa_", 20},
	{"AKIA", 16},
	{"ASIA", 16},
	{"ABIA", 16},
	{"ACCA", 16}, // AWS
})

func byFirstLetter(all []form) (table [256][]form) {
	for _, f := range all {
		table[f.prefix[0]] = append(table[f.prefix[0]], f)
	}
	return table
}

// pathSecrets are followed by a secret in the path of a URL.
var pathSecrets = []string{
	"hooks.slack.com/services/", "hooks.slack.com/workflows/", "hooks.slack.com/triggers/", "api.telegram.org/bot", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/",
	"webhook.office.com/webhookb2/", "maker.ifttt.com/trigger/", "oapi.dingtalk.com/robot/", "hc-ping.com/", "events.pagerduty.com/integration/",
}

const pemMark = "-----BEGIN "

// tokenAt returns how many bytes of text are a token by its form, with what belongs to it: 0 if it begins with none. The token begins a word.
func tokenAt(text string) int {
	for _, f := range forms[text[0]] {
		if !strings.HasPrefix(text, f.prefix) {
			continue
		}
		length := len(f.prefix)
		for length < len(text) && isTokenByte(text[length]) {
			length++
		}
		if length-len(f.prefix) < f.least || f.prefix == "SK" && !isHex(text[2:length]) {
			return 0
		}
		if isAWS(f.prefix) && length < len(text) && (text[length] == ':' || text[length] == ',') {
			for length++; length < len(text) && isSecretByte(text[length]); length++ { // The secret that belongs to the key.
			}
		}
		return length
	}
	return 0
}

func isAWS(prefix string) bool { return len(prefix) == 4 && prefix[0] == 'A' && prefix[3] == 'A' }

// isAWSSecret tells whether a word is what comes with a key of AWS: forty letters of base64.
func isAWSSecret(word string) bool {
	if len(word) != 40 {
		return false
	}
	for i := range len(word) {
		if !isSecretByte(word[i]) {
			return false
		}
	}
	return true
}

func isHex(text string) bool {
	for _, c := range []byte(text) {
		if c-'0' > 9 && c|0x20-'a' > 5 {
			return false
		}
	}
	return true
}

// isTokenByte tells whether a byte may be in a token: letters, digits, and those of base64 and JSON Web Tokens.
func isTokenByte(c byte) bool { return isNameByte(c) }

func isSecretByte(c byte) bool { return isNameByte(c) || c == '+' || c == '/' || c == '=' }

func isNameByte(c byte) bool {
	return c-'0' <= 9 || c|0x20-'a' <= 25 || c == '_' || c == '-' || c == '.'
}
