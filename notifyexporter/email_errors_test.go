package notifyexporter

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// plainMailServer is a server that offers neither STARTTLS nor passwords. It gives its address.
func plainMailServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = fmt.Fprint(conn, "220 mail.test\r\n")
				for s := bufio.NewScanner(conn); s.Scan(); {
					if strings.HasPrefix(s.Text(), "QUIT") {
						return
					}
					_, _ = fmt.Fprint(conn, "250 mail.test\r\n")
				}
			}()
		}
	}()
	return l.Addr().String()
}

// A server without STARTTLS gets no mail, and the error names the key that says otherwise.
func TestMailServerWithoutStartTLS(t *testing.T) {
	t.Parallel()
	s := openSender(t, "type: email, server: \""+plainMailServer(t)+"\", from: a@example.com, to: [b@example.com]")
	_, err := s.send(t.Context(), &message{ID: "1", Title: "t"})
	require.ErrorContains(t, err, "the server does not offer STARTTLS: set security to tls if it begins with TLS, or to none if it has none")
	assert.NotContains(t, err.Error(), "dial failed")
}
