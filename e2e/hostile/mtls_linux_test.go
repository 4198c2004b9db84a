package hostile

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// newAuthority makes one, and writes its certificate.
func newAuthority(t *testing.T, path string) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: filepath.Base(path)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	writePEM(t, path, "CERTIFICATE", der)
	return &authority{cert: cert, key: key}
}

// sign writes a certificate for loopback, and its key, into a folder.
func (a *authority) sign(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	writePEM(t, filepath.Join(dir, name+".crt"), "CERTIFICATE", der)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	writePEM(t, filepath.Join(dir, name+".key"), "PRIVATE KEY", private)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// TestAGatewayKnowsItsAgents runs the example of a gateway with certificates, and three agents: one with a certificate of the agents' authority, one of
// another, one with none. The first gets through, as the host of its certificate whatever it says, and the record of its alert has the address that it
// came from.
func TestAGatewayKnowsItsAgents(t *testing.T) {
	t.Parallel()
	gatewayTLS, agentTLS, strangerTLS := t.TempDir(), t.TempDir(), t.TempDir()
	agents := newAuthority(t, filepath.Join(gatewayTLS, "agents-ca.crt"))
	gateways := newAuthority(t, filepath.Join(agentTLS, "gateways-ca.crt"))
	gateways.sign(t, gatewayTLS, "gateway")
	agents.sign(t, agentTLS, "agent")
	strangers := newAuthority(t, filepath.Join(strangerTLS, "strangers-ca.crt"))
	strangers.sign(t, strangerTLS, "agent")
	ca, err := os.ReadFile(filepath.Join(agentTLS, "gateways-ca.crt"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(strangerTLS, "gateways-ca.crt"), ca, 0o600))

	dir, grpc := t.TempDir(), harness.FreeAddress(t)
	layer := func(name string) string {
		text, err := os.ReadFile(harness.Repository(t, "examples", "mtls", name))
		require.NoError(t, err)
		return string(text)
	}
	harness.StartExample(t, dir, "gateway.yaml", []string{layer("gateway.yaml"), fmt.Sprintf(`
receivers: {otlp: {protocols: {grpc: {endpoint: "%s"}, http: {endpoint: "%s"}}}}
connectors: {alert: {evaluation_interval: 1s, rules: [{name: up, metric: system.uptime, threshold: 0, severity: warning, group_by: [resource.host.name]}]}}
exporters: {file: {flush_interval: 50ms}}
service: {telemetry: {metrics: {level: none}}}
`, grpc, harness.FreeAddress(t))}, "TLS_DIRECTORY="+gatewayTLS, "STATE_DIRECTORY="+filepath.Join(dir, "state"))
	harness.AwaitListener(t, grpc)
	sends := func(name, directory string, settings ...string) *harness.Process {
		settings = append(settings, fmt.Sprintf(`
receivers: {psutil: {collection_interval: 200ms, initial_delay: 0s, scrapers: {system: {}}}}
processors: {transform/name: {metric_statements: ["set(resource.attributes[\"host.name\"], \"%s\")"]}}
exporters: {otlp_grpc: {retry_on_failure: {initial_interval: 100ms, max_interval: 200ms}}}
service: {telemetry: {metrics: {level: none}}, pipelines: {metrics: {processors: [transform/name]}}}
`, name))
		return harness.StartExample(t, t.TempDir(), "otlp.yaml", settings, "TLS_DIRECTORY="+directory, "OTLP_ENDPOINT="+grpc)
	}
	stranger := sends("stranger", strangerTLS, layer("agent.yaml"))
	plain := sends("plain", t.TempDir())
	stranger.AwaitOutput(t, "Exporting failed")
	plain.AwaitOutput(t, "Exporting failed")
	const withoutTLS = "error reading server preface: EOF"
	plain.AwaitOutput(t, withoutTLS)
	assert.Contains(t, layer("agent.yaml"), withoutTLS, "what it means stands in the example")
	sends("another", agentTLS, layer("agent.yaml"))
	file := harness.AlertFile(filepath.Join(dir, "state", "alerts", "alerts.jsonl"))
	record := file.Await(t, "up", "fire", 1)
	assert.Equal(t, "agent", record.Resource["host.name"], "the name of the certificate, and not the one that it gives itself")
	assert.Equal(t, "127.0.0.1", record.Resource["telemetry.sender.address"])
	for _, r := range file.Of(t, "up") {
		assert.Equal(t, "agent", r.Resource["host.name"])
	}
}
