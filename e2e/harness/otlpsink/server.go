// Package otlpsink is a backend for measurements: an OTLP/gRPC server on loopback that takes whatever comes, without a look at it unless
// somebody asks for one, so that it costs little.
package otlpsink

import (
	"fmt"
	"net"

	"google.golang.org/grpc"
	_ "google.golang.org/grpc/encoding/gzip" // Exporters compress.
)

// Server is a backend that listens.
type Server struct {
	// Address is its host and port.
	Address string
	server  *grpc.Server
}

// Listen starts a server at a free port. It shows each request to take, by its gRPC method, and answers that all is well.
func Listen(take func(method string, request []byte)) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	answer := func(_ any, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(stream)
		take(method, request)
		return stream.SendMsg([]byte{})
	}
	s := &Server{Address: l.Addr().String()}
	s.server = grpc.NewServer(grpc.ForceServerCodec(Raw{}), grpc.UnknownServiceHandler(answer), grpc.MaxRecvMsgSize(64<<20))
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// Stop ends the server and its connections.
func (s *Server) Stop() { s.server.Stop() }

// Raw is a gRPC codec for messages that are encoded already.
type Raw struct{}

// Marshal returns the message, a []byte, as it is.
func (Raw) Marshal(v any) ([]byte, error) {
	text, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("encoding %T: not bytes", v)
	}
	return text, nil
}

// Unmarshal copies the message to a *[]byte.
func (Raw) Unmarshal(text []byte, v any) error {
	to, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("decoding to %T: not bytes", v)
	}
	*to = append((*to)[:0], text...)
	return nil
}

// Name is that of the content that the messages have.
func (Raw) Name() string { return "proto" }
