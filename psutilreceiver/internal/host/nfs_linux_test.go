package host

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// nfsCount gives the count of a call, absent if it is not there.
func nfsCount(calls []NFSCall, version int, name string) int64 {
	for _, c := range calls {
		if c.Version == version && c.Name == name {
			return c.Count
		}
	}
	return absent
}

func TestNFSOfServer(t *testing.T) {
	h := fixtureHost(t, "server-6.x")
	var c NFSClient
	require.NoError(t, h.NFSClient(&c))
	assert.Equal(t, [...]int64{812345, 17, 812001}, [...]int64{c.Calls, c.Retransmits, c.AuthRefreshes})
	assert.Equal(t, NFSTraffic{}, c.Traffic)
	assert.Len(t, c.Procedures, 22)
	assert.Len(t, c.Operations, 69)
	var s NFSServer
	require.NoError(t, h.NFSServer(&s))
	assert.Equal(t, NFSTraffic{UDP: 0, TCP: 940346, TCPConnections: 12}, s.Traffic)
	assert.Equal(t, [...]int64{11, 40213, 900122, 3, 7340032, 1048576, 8, 940320, 20, 5, 1},
		[...]int64{s.CacheHits, s.CacheMisses, s.CacheUnused, s.StaleHandles, s.ReadBytes, s.WrittenBytes, s.Threads, s.Calls, s.BadFormat, s.BadAuth, s.BadClient})
	assert.EqualValues(t, 482013, nfsCount(s.Procedures, 4, "COMPOUND"))
	assert.Len(t, s.Operations, 73, "the operations 0 to 2 do not exist")
	require.ErrorIs(t, fixtureHost(t, "container").NFSClient(&c), ErrUnsupported)
	require.ErrorIs(t, fixtureHost(t, "kernel-4.4").NFSServer(&s), ErrUnsupported)
}

// TestNFSCallsHaveTheNamesOfTheKernel holds some places of the tables against what the kernel's headers and the RFCs number.
func TestNFSCallsHaveTheNamesOfTheKernel(t *testing.T) {
	for name, place := range map[string]int{
		"READ": 1, "CLOSE": 8, "FSID_PRESENT": 37, "EXCHANGE_ID": 38, "RECLAIM_COMPLETE": 43, "LAYOUTGET": 44, "GETDEVICEINFO": 45,
		"DESTROY_CLIENTID": 53, "SEEK": 54, "LOOKUPP": 61, "LAYOUTERROR": 62, "COPY_NOTIFY": 63, "READ_PLUS": 68,
	} {
		assert.Equal(t, name, nfs4ClientOperations[place])
	}
	for name, place := range map[string]int{
		"ACCESS": 3, "WRITE": 38, "RELEASE_LOCKOWNER": 39, "BACKCHANNEL_CTL": 40, "RECLAIM_COMPLETE": 58, "ALLOCATE": 59, "CLONE": 71, "REMOVEXATTR": 75,
	} {
		assert.Equal(t, name, nfs4Operations[place])
	}
	assert.Len(t, nfs2Procedures, 18)
	assert.Len(t, nfs3Procedures, 22)
	assert.Equal(t, "COMMIT", nfs3Procedures[21])
}

func TestParseNFS(t *testing.T) {
	var c NFSClient
	require.NoError(t, c.parse("x", []byte("rpc 1 2 3\nproc2 2 4 5\nproc9 1 1\n")))
	assert.EqualValues(t, 5, nfsCount(c.Procedures, 2, "GETATTR"))
	assert.EqualValues(t, absent, c.Traffic.UDP)
	for text, odd := range map[string]bool{
		"": false, "garbage\n": false, "rpc 1 2\n": true, "rpc 1 x 3\n": true, "proc3 3 1 2\n": true, "proc3 2 1 -2\n": true, "proc3 2 1 2": true,
		"rpc 1 2 18446744073709551616\n": true,
	} {
		err := c.parse("x", []byte(text))
		require.ErrorIs(t, err, errMalformed, text)
		assert.Equal(t, odd, IsOdd(err), text)
	}
	require.NoError(t, c.parse("x", []byte("proc4 71 "+strings.TrimSpace(strings.Repeat("7 ", 71))+"\n")))
	assert.Len(t, c.Operations, len(nfs4ClientOperations), "what a newer kernel has beyond the names is left out")
}

func FuzzParseNFS(f *testing.F) {
	f.Add([]byte("net 0 0 0 0\nrpc 1 2 3\nproc3 2 1 2\nproc4 1 9\n"))
	f.Add([]byte("rc 1 2 3\nfh 1 0\nio 1 2\nth 8 0\nnet 1 2 3 4\nrpc 1 2 3 4 5\nproc4ops 4 0 0 0 7\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var c NFSClient
		var s NFSServer
		for _, err := range []error{c.parse("x", text), s.parse("y", text)} {
			if err != nil {
				require.ErrorIs(t, err, errMalformed)
			}
		}
		for _, calls := range [][]NFSCall{c.Procedures, c.Operations, s.Procedures, s.Operations} {
			for _, call := range calls {
				assert.NotEmpty(t, call.Name)
				assert.True(t, call.Count >= 0 || call.Count == Odd)
			}
		}
	})
}
