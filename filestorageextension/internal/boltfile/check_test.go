package boltfile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"
)

// options are those of the file_storage extension.
func options() *bbolt.Options {
	return &bbolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType}
}

// written returns the bytes of a database after some transactions.
func written(t *testing.T, o *bbolt.Options, transactions, keys, size int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, o)
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, uint64(transactions*keys)))
	for range transactions {
		require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("default"))
			for range keys {
				key := fmt.Appendf(nil, "key %d", random.IntN(5*keys))
				if random.IntN(4) == 0 {
					_ = b.Delete(key)
				} else if size > 0 {
					_ = b.Put(key, bytes.Repeat([]byte{byte(random.Uint32())}, random.IntN(size)))
				}
			}
			inner, _ := b.CreateBucketIfNotExists([]byte("inner"))
			_ = inner.Put(fmt.Append(nil, random.IntN(3)), []byte("x"))
			return err
		}))
	}
	require.NoError(t, db.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return content
}

// databases are sound ones, small and large.
func databases(t *testing.T) map[string][]byte {
	t.Helper()
	synced := options()
	synced.NoFreelistSync = false
	large := options()
	large.PageSize = 16384
	return map[string][]byte{
		"empty": written(t, options(), 0, 0, 0), "one": written(t, options(), 1, 1, 10), "small": written(t, options(), 20, 10, 300), "deep": written(t, options(), 40, 400, 60),
		"long values": written(t, options(), 20, 20, 30_000), "list of free pages": written(t, synced, 40, 100, 500), "large pages": written(t, large, 20, 100, 500),
	}
}

func TestSoundFilesAreSound(t *testing.T) {
	t.Parallel()
	require.NoError(t, Check(filepath.Join(t.TempDir(), "none")))
	for name, content := range databases(t) {
		path := filepath.Join(t.TempDir(), "db")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		require.NoError(t, Check(path), name)
		require.NoError(t, Check(path), "and the lock is free again: %s", name)
	}
	path := filepath.Join(t.TempDir(), "db")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, Check(path), "an empty file becomes a database")
}

func TestAFileThatSomebodyHasOpenIsLeftAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, options())
	require.NoError(t, err)
	defer func() { _ = db.Close() }()
	require.NoError(t, os.WriteFile(path, []byte("no database at all"), 0o600))
	require.NoError(t, Check(path))
}

// whatDamages are the kinds of damage that a power cut, a full disk or a bad disk leave.
func whatDamages(content []byte, try func(name string, content []byte)) {
	for end := 4096; end < len(content); end += 4096 {
		try(fmt.Sprintf("cut at %d", end), content[:end])
	}
	try("cut at an odd place", content[:len(content)/2+7])
	random := rand.New(rand.NewPCG(3, uint64(len(content))))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	for _, n := range []int{1, 15, 16, 79, 80, 4095, 4096, 40_000} {
		try(fmt.Sprintf("%d random bytes", n), noise(n))
		try(fmt.Sprintf("%d zeros", n), make([]byte, n))
	}
	for i := range 60 {
		size := []int{1, 8, 512, 4096}[i%4]
		at := random.IntN(len(content) - size)
		if i%3 == 0 {
			at = at / 4096 * 4096
		}
		bad := bytes.Clone(content)
		copy(bad[at:], noise(size))
		try(fmt.Sprintf("%d random bytes at %d", size, at), bad)
		clear(bad[at : at+size])
		try(fmt.Sprintf("%d zeros at %d", size, at), bad)
	}
}

// Whatever happens to a file: Check finds it, or bbolt can work with it. What it can't work with ends the whole process.
func TestWhatIsNotFoundIsHarmless(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "db")
	for name, content := range databases(t) {
		found, harmless := 0, 0
		whatDamages(content, func(damage string, content []byte) {
			require.NoError(t, os.WriteFile(path, content, 0o600))
			if err := Check(path); err != nil {
				require.ErrorIs(t, err, ErrDamaged, "%s, %s", name, damage)
				found++
				return
			}
			harmless++
			db, err := bbolt.Open(path, 0o600, options())
			require.NoError(t, err, "%s, %s", name, damage)
			require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists([]byte("default"))
				if err != nil {
					return err
				}
				for i := range 50 {
					if err := b.Put(fmt.Appendf(nil, "new %d", i), make([]byte, 500)); err != nil {
						return err
					}
				}
				return b.ForEach(func(_, _ []byte) error { return nil })
			}), "%s, %s", name, damage)
			require.NoError(t, db.Close())
		})
		assert.Positive(t, found, name)
		t.Logf("%s: %d found, %d harmless", name, found, harmless)
	}
}

func FuzzCheck(f *testing.F) {
	path := filepath.Join(f.TempDir(), "db")
	db, err := bbolt.Open(path, 0o600, options())
	require.NoError(f, err)
	require.NoError(f, db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte("default"))
		_ = b.Put([]byte("k"), []byte("v"))
		return err
	}))
	require.NoError(f, db.Close())
	content, err := os.ReadFile(path)
	require.NoError(f, err)
	f.Add(content)
	f.Fuzz(func(_ *testing.T, content []byte) {
		_ = check(bytes.NewReader(content), int64(len(content)))
	})
}
