package harness

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
)

// StatusError is an answer to an OTLP request that is not of success.
type StatusError struct {
	// Code is the status, such as 400.
	Code int
	// Text is what was answered.
	Text string
}

// Error has the status and the answer.
func (e *StatusError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Text)
}

// PostMetrics sends metrics to an address by OTLP over HTTP. An answer that is not of success is a StatusError.
func PostMetrics(ctx context.Context, address string, md pmetric.Metrics) error {
	body, err := pmetricotlp.NewExportRequestFromMetrics(md).MarshalProto()
	if err != nil {
		return err
	}
	return PostMetricsBody(ctx, address, body, "")
}

// PostMetricsBody sends the bytes of a request for metrics, in an encoding such as gzip or in none.
func PostMetricsBody(ctx context.Context, address string, body []byte, encoding string) error {
	return postOTLP(ctx, "http://"+address+"/v1/metrics", body, encoding)
}

// PostLogs sends log records to an address by OTLP over HTTP. An answer that is not of success is a StatusError.
func PostLogs(ctx context.Context, address string, ld plog.Logs) error {
	body, err := plogotlp.NewExportRequestFromLogs(ld).MarshalProto()
	if err != nil {
		return err
	}
	return postOTLP(ctx, "http://"+address+"/v1/logs", body, "")
}

func postOTLP(ctx context.Context, url string, body []byte, encoding string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	if encoding != "" {
		req.Header.Set("Content-Encoding", encoding)
	}
	resp, err := Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &StatusError{Code: resp.StatusCode, Text: string(answer)}
	}
	return err
}
