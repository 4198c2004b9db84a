package events

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// kernelLogs are kills as the kernels of several years tell of them.
var kernelLogs = map[string]struct {
	log  []string
	want killed
}{
	"3.10, host": {
		[]string{
			"java invoked oom-killer: gfp_mask=0x280da, order=0, oom_score_adj=0",
			"Out of memory: Kill process 2345 (java) score 912 or sacrifice child",
			"Killed process 2345 (java), UID 1000, total-vm:8000000kB, anon-rss:4000000kB, file-rss:100kB, shmem-rss:4kB",
		},
		killed{pid: 2345, name: "java", virtual: 8000000 << 10, resident: 4000104 << 10, uid: 1000, constraint: "host", limit: -1},
	},
	"4.4, host": {
		[]string{
			"Out of memory: Kill process 1234 (mysqld) score 500 or sacrifice child",
			"Killed process 1234 (mysqld) total-vm:1000kB, anon-rss:200kB, file-rss:3kB",
		},
		killed{pid: 1234, name: "mysqld", virtual: 1000 << 10, resident: 203 << 10, uid: -1, constraint: "host", limit: -1},
	},
	"4.14, group": {
		[]string{
			"stress invoked oom-killer: gfp_mask=0x14000c0(GFP_KERNEL), nodemask=(null),  order=0, oom_score_adj=0",
			"Task in /kubepods/pod1/abc killed as a result of limit of /kubepods/pod1",
			"memory: usage 204800kB, limit 204800kB, failcnt 512",
			"memory+swap: usage 204800kB, limit 9007199254740988kB, failcnt 0",
			"Memory cgroup out of memory: Kill process 77 (stress) score 990 or sacrifice child",
			"Killed process 77 (stress) total-vm:262000kB, anon-rss:200000kB, file-rss:400kB, shmem-rss:0kB",
		},
		killed{
			pid: 77, name: "stress", virtual: 262000 << 10, resident: 200400 << 10, uid: -1,
			constraint: "cgroup", group: "/kubepods/pod1/abc", limited: "/kubepods/pod1", limit: 204800 << 10,
		},
	},
	"5.4, host": {
		[]string{
			"oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/user.slice/user-0.slice/session-1.scope,task=tail,pid=99,uid=0",
			"Out of memory: Killed process 99 (tail) total-vm:500kB, anon-rss:300kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:60kB oom_score_adj:-17",
		},
		killed{
			pid: 99, name: "tail", virtual: 500 << 10, resident: 300 << 10, uid: 0, adjustment: -17, adjusted: true,
			constraint: "host", group: "/user.slice/user-0.slice/session-1.scope", limit: -1,
		},
	},
	"6.8, group": {
		[]string{
			"stress invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
			"memory: usage 51200kB, limit 51200kB, failcnt 26",
			"swap: usage 0kB, limit 9007199254740988kB, failcnt 0",
			"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=web.service,mems_allowed=0,oom_memcg=/system.slice/web.service,task_memcg=/system.slice/web.service,task=stress,pid=4242,uid=33",
			"Memory cgroup out of memory: Killed process 4242 (stress) total-vm:60000kB, anon-rss:50000kB, file-rss:1024kB, shmem-rss:0kB, UID:33 pgtables:140kB oom_score_adj:0",
		},
		killed{
			pid: 4242, name: "stress", virtual: 60000 << 10, resident: 51024 << 10, uid: 33, adjusted: true,
			constraint: "cgroup", group: "/system.slice/web.service", limited: "/system.slice/web.service", limit: 51200 << 10,
		},
	},
	"a name and a group made to mislead": {
		[]string{
			"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,b=c,task_memcg=/a,b=c/d,task=x,pid=1,uid=0,pid=7,uid=5",
			"Memory cgroup out of memory: Killed process 7 (x) total-vm:9kB) total-vm:80kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:5 pgtables:1kB oom_score_adj:0",
		},
		killed{
			pid: 7, name: "x) total-vm:9kB", virtual: 80 << 10, resident: 4 << 10, uid: 5, adjusted: true,
			constraint: "cgroup", group: "/a,b=c/d", limited: "/a,b=c", limit: -1,
		},
	},
	"another process of a group that is killed as a whole": {
		[]string{
			"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,task_memcg=/a/b,task=x,pid=7,uid=5",
			"Tasks in /a are going to be killed due to memory.oom.group set",
			"Memory cgroup out of memory: Killed process 8 (y) total-vm:80kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:5 pgtables:1kB oom_score_adj:0",
		},
		killed{pid: 8, name: "y", virtual: 80 << 10, resident: 4 << 10, uid: 5, adjusted: true, constraint: "cgroup", limited: "/a", limit: -1},
	},
}

func TestOOMParser(t *testing.T) {
	for name, c := range kernelLogs {
		t.Run(name, func(t *testing.T) {
			var p oomParser
			p.reset()
			var found []killed
			for _, line := range c.log {
				for _, prefix := range []string{"4,12,3000000,-;", "14,12,3000000,-;"} { // The second is of a process that writes to the log.
					if k, ok := p.record([]byte(prefix + line + "\n SUBSYSTEM=x\n")); ok {
						found = append(found, k)
					}
				}
			}
			c.want.sinceBoot = 3 * time.Second
			require.Equal(t, []killed{c.want}, found)
		})
	}
}

// FuzzOOMParser holds that whatever is in the log, the parser does not panic, and that what it finds can be.
// TestKernelMessagesThatQuoteUsers: the kernel's own messages have names and paths in them that anybody may choose.
func TestKernelMessagesThatQuoteUsers(t *testing.T) {
	t.Parallel()
	const lie = "Killed process 1 (init) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB"
	for _, text := range []string{
		"process 'sh' launched '/tmp/" + lie + "' with NULL argv: empty string added",
		"process 'sh' launched '/tmp/Out of memory: " + lie + "' with NULL argv: empty string added",
		"a[12]: segfault at 0 ip 0000 sp 0000 error 4 in " + lie + "[400000+1000]",
		"Killed process [12]: segfault at 0 ip 0000 sp 0000 error 4 in total-vm:1kB (init)[400000+1000]",
		"EXT4-fs (sda1): mounted filesystem with option " + lie,
		"x Memory cgroup out of memory: " + lie,
	} {
		var p oomParser
		p.reset()
		_, done := p.record([]byte("6,1,1,-;" + text))
		assert.False(t, done, text)
	}
}

func FuzzOOMParser(f *testing.F) {
	for _, c := range kernelLogs {
		f.Add([]byte("4,1,2,-;" + strings.Join(c.log, "\x00"+"4,1,2,-;")))
	}
	f.Add([]byte("4,1,99999999999999999999,-;Killed process 1 (a) total-vm:1kB"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p oomParser
		p.reset()
		for record := range strings.SplitSeq(string(text), "\x00") {
			k, ok := p.record([]byte(record))
			if !ok {
				continue
			}
			assert.Positive(t, k.pid)
			assert.GreaterOrEqual(t, k.resident, int64(-1))
			assert.GreaterOrEqual(t, k.virtual, int64(-1))
			assert.GreaterOrEqual(t, k.limit, int64(-1))
			assert.GreaterOrEqual(t, k.uid, int64(-1))
			assert.GreaterOrEqual(t, k.sinceBoot, time.Duration(0))
			assert.NotEmpty(t, k.constraint)
		}
	})
}
