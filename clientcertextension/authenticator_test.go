package clientcertextension

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// shown is the context of a sender that shows certificates, of which the first chains were verified.
func shown(t *testing.T, verified bool, certs ...*x509.Certificate) context.Context {
	t.Helper()
	state := tls.ConnectionState{PeerCertificates: certs}
	if verified {
		state.VerifiedChains = [][]*x509.Certificate{certs}
	}
	ctx := client.NewContext(t.Context(), client.Info{Addr: &net.IPAddr{IP: net.IPv4(192, 0, 2, 7)}})
	return peer.NewContext(ctx, &peer.Peer{AuthInfo: credentials.TLSInfo{State: state}})
}

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	factory := NewFactory()
	ext, err := factory.Create(t.Context(), extensiontest.NewNopSettings(factory.Type()), factory.CreateDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, ext.Start(t.Context(), componenttest.NewNopHost()))
	server := ext.(extensionauth.Server)

	plain := &x509.Certificate{Subject: pkix.Name{CommonName: "db1"}, SerialNumber: big.NewInt(7)}
	named := &x509.Certificate{Subject: pkix.Name{CommonName: "x"}, DNSNames: []string{"db1.example", "other"}, SerialNumber: big.NewInt(7)}
	authority := &x509.Certificate{Subject: pkix.Name{CommonName: "authority"}, SerialNumber: big.NewInt(1)}
	for name, cert := range map[string]*x509.Certificate{"db1": plain, "db1.example": named} {
		ctx, err := server.Authenticate(shown(t, true, cert, authority), map[string][]string{"name": {"forged"}})
		require.NoError(t, err)
		info := client.FromContext(ctx)
		assert.Equal(t, name, info.Auth.GetAttribute("name"))
		assert.Equal(t, "7", info.Auth.GetAttribute("serial_number"))
		assert.Equal(t, "192.0.2.7", info.Addr.String(), "the rest of the client stays")
		for _, key := range info.Auth.GetAttributeNames() {
			assert.NotNil(t, info.Auth.GetAttribute(key))
		}
		assert.Nil(t, info.Auth.GetAttribute("other"))
	}
	for what, ctx := range map[string]context.Context{
		"not verified": shown(t, false, plain), "none": shown(t, false), "no chain": shown(t, true), "no TLS": t.Context(),
		"no name": shown(t, true, &x509.Certificate{SerialNumber: big.NewInt(1)}), "no credentials": peer.NewContext(t.Context(), &peer.Peer{}),
	} {
		_, err := server.Authenticate(ctx, nil)
		require.Error(t, err, what)
	}
	require.NoError(t, ext.Shutdown(t.Context()))
}
