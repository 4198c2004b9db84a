// Package clientcertextension is an authenticator of receivers that knows a sender by its certificate: processors behind the receiver can read the name
// that an authority has put into it, and write it over the name that the sender gives itself.
//
// It works for gRPC. A receiver over HTTP does not hand the certificate on, and refuses all requests with this authenticator.
package clientcertextension

//go:generate go tool mdatagen metadata.yaml
