package clientcertextension

import (
	"context"
	"crypto/x509"
	"errors"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/extensionauth"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// What the certificate says, as attributes of the client: in OTTL otelcol.client.auth.attributes["name"].
const (
	// attributeName is the first DNS name of the certificate, or where it has none the common name of its subject.
	attributeName = "name"
	// attributeSubject is the subject, as in CN=db1,O=example.
	attributeSubject = "subject"
	// attributeSerial is the serial number, in decimal.
	attributeSerial = "serial_number"
)

type authenticator struct {
	component.StartFunc
	component.ShutdownFunc
}

var _ extensionauth.Server = (*authenticator)(nil)

var (
	errNoCertificate = errors.New("the sender shows no certificate that was verified: the receiver needs tls with client_ca_file, and speaks gRPC")
	errNoName        = errors.New("the certificate of the sender has no name")
)

// Authenticate takes the certificate that the receiver has verified, and puts what it says into the client of the context.
func (*authenticator) Authenticate(ctx context.Context, _ map[string][]string) (context.Context, error) {
	cert := verified(ctx)
	if cert == nil {
		return ctx, errNoCertificate
	}
	name := cert.Subject.CommonName
	if len(cert.DNSNames) > 0 {
		name = cert.DNSNames[0]
	}
	if name == "" {
		return ctx, errNoName
	}
	info := client.FromContext(ctx)
	info.Auth = &certificate{name: name, subject: cert.Subject.String(), serial: cert.SerialNumber.String()}
	return client.NewContext(ctx, info), nil
}

// verified is the sender's certificate, nil where none was verified.
func verified(ctx context.Context) *x509.Certificate {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	tls, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(tls.State.VerifiedChains) == 0 || len(tls.State.VerifiedChains[0]) == 0 {
		return nil
	}
	return tls.State.VerifiedChains[0][0]
}

// certificate is what a certificate says.
type certificate struct{ name, subject, serial string }

// GetAttribute returns what it says under a name, nil when that is nothing.
func (c *certificate) GetAttribute(name string) any {
	switch name {
	case attributeName:
		return c.name
	case attributeSubject:
		return c.subject
	case attributeSerial:
		return c.serial
	default:
		return nil
	}
}

// GetAttributeNames returns the names.
func (*certificate) GetAttributeNames() []string {
	return []string{attributeName, attributeSubject, attributeSerial}
}
