package hostile

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-psutil/otelcol-psutil/e2e/harness"
)

// storedSettings has a collector whose alerts, and what waits for a backend that is away, are in files.
const storedSettings = `
receivers:
  otlp: {protocols: {http: {endpoint: %[1]s}}}
connectors:
  alert:
    evaluation_interval: 1s
    storage: file_storage
    rules: [{name: load, metric: load, threshold: 5, severity: warning, group_by: [resource.host.name]}]
exporters:
  alertmanager: {endpoint: %[2]s, storage: file_storage}
  otlp_http: {endpoint: "http://127.0.0.1:1", sending_queue: {storage: file_storage}, retry_on_failure: {max_elapsed_time: 0s}}
extensions:
  file_storage: {directory: state, create_directory: true, recreate: true}
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [alert, otlp_http]}
    logs: {receivers: [alert], exporters: [alertmanager]}
`

// usedPages gives how many pages of a file of bbolt are in use, and their size: as its newest meta page has them (bbolt's internal/common, Meta).
func usedPages(path string) (pages, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = file.Close() }()
	// A page begins with a header of 16 bytes. In a meta page follow: magic and version with 4 bytes each, the page size and flags with 4 bytes each,
	// the root bucket with 16 bytes, and then with 8 bytes each the freelist's page, how many pages are in use, and the transaction.
	const sizeAt, pagesAt, transactionAt, length = 16 + 8, 16 + 40, 16 + 48, 16 + 56
	var newest uint64
	for page := range int64(2) {
		meta := make([]byte, length)
		if _, err := file.ReadAt(meta, page*int64(os.Getpagesize())); err != nil {
			return 0, 0, err
		}
		if transaction := binary.NativeEndian.Uint64(meta[transactionAt:]); page == 0 || transaction > newest {
			newest = transaction
			pages, size = int64(binary.NativeEndian.Uint64(meta[pagesAt:])), int64(binary.NativeEndian.Uint32(meta[sizeAt:]))
		}
	}
	if pages <= 2 || size != int64(os.Getpagesize()) {
		return 0, 0, fmt.Errorf("%s says that it has %d pages of %d bytes", path, pages, size)
	}
	return pages, size, nil
}

// TestStateFilesThatAreTakenAway deletes the files of a running collector, and cuts them short. It goes on, says once for each what happened, and a
// restart knows what fires, in engine and exporter.
func TestStateFilesThatAreTakenAway(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]func(string) error{
		"deleted":   os.Remove,
		"cut short": func(path string) error { return os.Truncate(path, 0) },
		"without the second half of what is used": func(path string) error {
			pages, size, err := usedPages(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, pages/2*size)
		},
		"without the last page of what is used": func(path string) error {
			pages, size, err := usedPages(path)
			if err != nil {
				return err
			}
			return os.Truncate(path, (pages-1)*size)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, receiver, am := t.TempDir(), harness.FreeAddress(t), newAlertmanager(t)
			config := fmt.Sprintf(storedSettings, receiver, am.URL)
			p := harness.Start(t, dir, config)
			sendHighLoad(t, receiver, "first")
			am.await(t, "first")
			// The engine, the exporter of alertmanager and the queue have one each. None of them is moved away yet.
			const wanted = 3
			var files []string
			harness.Eventually(t, "the state files", func() (err error) {
				if files, err = filepath.Glob(filepath.Join(dir, "state", "*")); err == nil && len(files) != wanted {
					err = fmt.Errorf("so far there is %q", files)
				}
				return err
			})
			for _, path := range files {
				require.NoError(t, does(path))
			}
			said := "was cut short while it was in use and is moved away"
			if name == "deleted" {
				said = "was deleted while it was in use, and is written again"
			}
			harness.Eventually(t, "each file", func() error {
				sendHighLoad(t, receiver, "first")
				if n := strings.Count(p.Output(), said); n < wanted {
					return fmt.Errorf("said %d times", n)
				}
				return nil
			})
			sendHighLoad(t, receiver, "second")
			am.await(t, "second")
			assert.Equal(t, wanted, strings.Count(p.Output(), said))
			require.NoError(t, p.Stop(t, syscall.SIGTERM))

			p = harness.Start(t, dir, config)
			harness.AwaitListener(t, receiver)
			sendUntilQuiet(t, receiver, []string{"first", "second"}, am)
			require.NoError(t, p.Stop(t, syscall.SIGTERM))
		})
	}
}
