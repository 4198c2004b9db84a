//go:build ignore

// SPDX-License-Identifier: MIT OR GPL-2.0-only

// The programs that hand the processes of a host over: an iterator that writes one record for each process, and tracepoints that write one
// for each process that has ended. They read and count; nothing of the kernel or of a process is changed.
#include "kernel.h"

// The kernel lets programs that read its memory be loaded under a licence that fits its own only.
char LICENSE[] SEC("license") = "Dual MIT/GPL";

enum {
	DISK_READ, // bytes fetched from storage
	DISK_WRITE,
	LOGICAL_READ, // bytes that read(2) and its like returned
	LOGICAL_WRITE,
	NR_IO
};

// What is special of a process.
enum {
	INCOMPLETE = 1 << 0,	   // the sums are not to be used: it has too many threads, or they went too fast
	HAS_MEMORY = 1 << 1,	   // it has memory of its own: no kernel thread, and not ended
	HAS_DESCRIPTORS = 1 << 2,  // descriptors were counted: not if there are too many for that
	EXACT_MEMORY = 1 << 3,	   // what each CPU, or thread, holds back is added
	HAS_LOGICAL_IO = 1 << 4,   // kernel with CONFIG_TASK_XACCT
	HAS_DISK_IO = 1 << 5,	   // kernel with CONFIG_TASK_IO_ACCOUNTING
	LEADER_ENDED = 1 << 6,	   // its first thread has ended and others have not: memory, descriptors and state are to be had of these
};

// times are CPU times of a process in ns. User and system time are what ticks have hit; the time that it ran is exact, and is what both are
// scaled to by whoever reads, as the kernel does it for /proc (cputime_adjust of kernel/sched/cputime.c), with what it last gave.
struct times {
	u64 user, system, ran;
	u64 given_user, given_system;
};

// process is the record of a process that the iterator gives. Members are in an order without gaps.
struct process {
	u32 size; // of the record in bytes
	u32 pid;
	u64 start; // ns since boot
	struct times times;
	u64 children_user, children_system; // ns
	u64 minor_faults, major_faults, children_minor_faults;
	u64 io[NR_IO];	       // of all threads and of children that were waited for
	u64 ended_io[NR_IO];   // of it, what is not of the threads alive
	u64 threads_io[NR_IO]; // of that, what is of threads of the process that ended since the programs were loaded
	u64 voluntary, involuntary;	      // switches of all threads, also of those that ended
	u64 ended_voluntary, ended_involuntary; // of these, of threads that ended
	u64 cgroup;	  // identifier in the unified hierarchy
	u64 groups;	  // of the groups in all hierarchies together; another one when the process has moved
	u64 virtual;	  // pages
	u64 memory[NR_MM_COUNTERS]; // pages
	u64 pending, shared_pending; // sets of signals
	u32 parent, user, state, exit_state, flags, priority, threads;
	u32 descriptors;
	u32 special;
	u32 unused;
	char comm[16];
	char full_name[48]; // of a kernel thread with a longer name: what follows the first 16 bytes
};

// lag is what must be known of the clock of a process when its last thread ends, to say later how long that still ran: the kernel adds up the time that
// a thread runs at ticks and when it leaves the CPU.
struct lag {
	u64 at;    // ns of the monotonic clock
	u64 since; // ns of the scheduler's clock: from when on the time of the thread was not added up yet
	u64 ran;   // ns that were
	u64 cpu;   // each has a clock of its own, which leaves out interrupts
};

// ended is the record of a process that has ended and was waited for.
struct ended {
	u64 start;
	struct times times;
	u64 minor_faults, major_faults;
	u64 io[NR_IO]; // of the process alone
	u64 voluntary, involuntary;
	u64 cgroup;
	struct lag lag;
	u32 pid, parent, user, flags;
	char comm[16];
};

// For the generator of Go types: nothing else that lasts has this type.
const struct ended *ended_unused __attribute__((unused));

#define MAX_CPUS 32		// more of them are too many to be looked at for each process
#define MAX_THREADS (1 << 16)
#define MAX_THREADS_UNROLLED 128 // on kernels without bpf_loop
#define MAX_WORDS 64		// of a bitmap of descriptors: 4,096
#define LOOKS 4			// at sums that change meanwhile

// cpus is how many CPUs have memory counts of their own: the possible ones; 0 where there are more than MAX_CPUS.
volatile const u32 cpus = 0;

// descriptors says whether they are to be counted: it takes a look at structures that nothing else is read of.
volatile u32 descriptors = 1;

// distances[cpu] is what must be added to a pointer to a variable that each CPU has, to read that of this CPU.
volatile u64 distances[MAX_CPUS] = {};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct process);
} scratch SEC(".maps");

// A process is named by its pid and start: pids are used again.
struct name {
	u64 start;
	u64 pid;
};

// ending has what must be known of a process before its last account is given.
struct ending {
	u64 io[NR_IO];	      // of threads other than the first that have ended
	u64 leader_io[NR_IO]; // of the first thread, if that has ended before others
	struct ended last;    // as of the end of the last thread; its pid is 0 before
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 16);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct name);
	__type(value, struct ending);
} endings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 19);
} ends SEC(".maps");

#define MAX_DEPTH 8 // of groups below the root
#define MAX_NAME 96

// path has the names of a control group and of those above, up to the root, which is not among them.
struct path {
	char names[MAX_DEPTH][MAX_NAME];
};

// paths has the path of the groups, by their identifier, in which a process has ended: the group may be gone when somebody asks.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, u64);
	__type(value, struct path);
} paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct path);
} scratch_path SEC(".maps");

// lost counts the processes whose end found no room in the ring.
u64 lost = 0;

// sums are what the threads of a process have together, while they are walked.
struct sums {
	u64 node, head; // of the list of threads
	u64 user, system, ran;
	u64 minor_faults, major_faults;
	u64 voluntary, involuntary;
	u64 io[NR_IO];
	u64 held[NR_MM_COUNTERS]; // memory that threads hold back from the count of the process (before Linux 6.2)
};

static __always_inline u32 state_of(struct task_struct *task)
{
	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	return BPF_CORE_READ((struct task_struct___before_5_14 *)task, state);
}

// add_held adds what a thread holds back. It is a function of its own, as all that some kernels lack: where it is not called it is not looked at.
static __noinline int add_held(struct sums *sums, struct task_struct___before_6_2 *thread)
{
	int held[NR_MM_COUNTERS] = {};
	bpf_core_read(held, sizeof(held), &thread->rss_stat.count);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		sums->held[i] += held[i];
	return 0;
}

static __always_inline void add_thread(struct sums *sums, struct task_struct *thread)
{
	sums->user += BPF_CORE_READ(thread, utime);
	sums->system += BPF_CORE_READ(thread, stime);
	sums->ran += BPF_CORE_READ(thread, se.sum_exec_runtime);
	sums->minor_faults += BPF_CORE_READ(thread, min_flt);
	sums->major_faults += BPF_CORE_READ(thread, maj_flt);
	sums->voluntary += BPF_CORE_READ(thread, nvcsw);
	sums->involuntary += BPF_CORE_READ(thread, nivcsw);
	if (bpf_core_field_exists(thread->ioac.rchar)) {
		sums->io[LOGICAL_READ] += BPF_CORE_READ(thread, ioac.rchar);
		sums->io[LOGICAL_WRITE] += BPF_CORE_READ(thread, ioac.wchar);
	}
	if (bpf_core_field_exists(thread->ioac.read_bytes)) {
		sums->io[DISK_READ] += BPF_CORE_READ(thread, ioac.read_bytes);
		sums->io[DISK_WRITE] += BPF_CORE_READ(thread, ioac.write_bytes);
	}
	if (bpf_core_field_exists(((struct task_struct___before_6_2 *)thread)->rss_stat))
		add_held(sums, (void *)thread);
}

// add_next adds the thread at the place in the list that sums have, and goes to the next one. It returns 1 at the end of the list.
static long add_next(u32 index, void *context)
{
	struct sums *sums = context;
	if (sums->node == sums->head || !sums->node)
		return 1;
	struct task_struct *thread = (void *)(sums->node - bpf_core_field_offset(struct task_struct, thread_node));
	add_thread(sums, thread);
	sums->node = (u64)BPF_CORE_READ(thread, thread_node.next);
	return 0;
}

// sequence is what the kernel counts up before and after it changes the sums of a process: odd while it does.
static __always_inline u32 sequence(struct signal_struct *signal)
{
	// A seqlock_t begins with it in all forms that it has had.
	return *(volatile u32 *)((void *)signal + bpf_core_field_offset(signal->stats_lock));
}

static __always_inline void times_of(struct times *times, struct signal_struct *signal)
{
	times->user = signal->utime;
	times->system = signal->stime;
	times->ran = signal->sum_sched_runtime;
	times->given_user = signal->prev_cputime.utime;
	times->given_system = signal->prev_cputime.stime;
}

static __always_inline void io_of(u64 io[NR_IO], struct task_io_accounting *account)
{
	if (bpf_core_field_exists(account->rchar)) {
		io[LOGICAL_READ] = account->rchar;
		io[LOGICAL_WRITE] = account->wchar;
	}
	if (bpf_core_field_exists(account->read_bytes)) {
		io[DISK_READ] = account->read_bytes;
		io[DISK_WRITE] = account->write_bytes;
	}
}

// add_threads adds up all threads of a process as they are at one moment. It returns false if that can't be done.
static __always_inline bool add_threads(struct process *p, struct task_struct *task, struct sums *sums, bool loops)
{
	struct signal_struct *signal = task->signal;
	for (int look = 0; look < LOOKS; look++) {
		u32 before = sequence(signal);
		if (before & 1)
			continue;
		__builtin_memset(sums, 0, sizeof(*sums));
		times_of(&p->times, signal);
		p->children_user = signal->cutime;
		p->children_system = signal->cstime;
		p->minor_faults = signal->min_flt;
		p->major_faults = signal->maj_flt;
		p->children_minor_faults = signal->cmin_flt;
		p->ended_voluntary = signal->nvcsw;
		p->ended_involuntary = signal->nivcsw;
		io_of(p->ended_io, &signal->ioac);
		p->threads = signal->nr_threads;
		bool whole = true;
		if (p->threads <= 1) {
			sums->user = task->utime;
			sums->system = task->stime;
			sums->ran = task->se.sum_exec_runtime;
			sums->minor_faults = task->min_flt;
			sums->major_faults = task->maj_flt;
			sums->voluntary = task->nvcsw;
			sums->involuntary = task->nivcsw;
			io_of(sums->io, &task->ioac);
			if (bpf_core_field_exists(((struct task_struct___before_6_2 *)task)->rss_stat))
				add_held(sums, (void *)task);
		} else {
			sums->head = (u64)signal + bpf_core_field_offset(struct signal_struct, thread_head);
			sums->node = (u64)BPF_CORE_READ(signal, thread_head.next);
			if (loops) {
				bpf_loop(MAX_THREADS, add_next, sums, 0);
			} else {
				for (u32 i = 0; i < MAX_THREADS_UNROLLED; i++)
					if (add_next(i, sums))
						break;
			}
			whole = sums->node == sums->head;
		}
		if (sequence(signal) == before)
			return whole;
	}
	return false;
}

// add_pages_of_threads gives the memory of a process on kernels before 6.2: that of the process, and what threads hold back.
static __noinline int add_pages_of_threads(struct process *p, struct mm_struct___before_6_2 *mm, struct sums *sums)
{
	u64 pages[NR_MM_COUNTERS] = {};
	bpf_core_read(pages, sizeof(pages), &mm->rss_stat.count);
	for (int i = 0; i < NR_MM_COUNTERS; i++)
		p->memory[i] = pages[i] + sums->held[i];
	p->special |= EXACT_MEMORY;
	return 0;
}

// PAGES is a count of the memory of a process. Each place is found by itself: the size of a counter differs from kernel to kernel.
#define PAGES(mm, i) (*(volatile u64 *)((void *)(mm) + bpf_core_field_offset((mm)->rss_stat[i].count)))

// add_pages_of_cpus gives the memory of a process on kernels since 6.2: that of the process, and what CPUs hold back.
static __noinline int add_pages_of_cpus(struct process *p, struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	if (!mm)
		return 0;
	p->memory[MM_FILEPAGES] = PAGES(mm, MM_FILEPAGES);
	p->memory[MM_ANONPAGES] = PAGES(mm, MM_ANONPAGES);
	p->memory[MM_SWAPENTS] = PAGES(mm, MM_SWAPENTS);
	p->memory[MM_SHMEMPAGES] = PAGES(mm, MM_SHMEMPAGES);
	if (!cpus)
		return 0;
	u64 first = (u64)BPF_CORE_READ(mm, rss_stat[0].counters);
	u64 last = (u64)BPF_CORE_READ(mm, rss_stat[NR_MM_COUNTERS - 1].counters);
	bool together = last - first == (NR_MM_COUNTERS - 1) * sizeof(s32); // since Linux 6.6
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (cpu >= cpus)
			break;
		s32 held[NR_MM_COUNTERS] = {};
		if (together) {
			bpf_probe_read_kernel(held, sizeof(held), (void *)(first + distances[cpu]));
		} else {
			for (int i = 0; i < NR_MM_COUNTERS; i++) {
				u64 counter = (u64)BPF_CORE_READ(mm, rss_stat[i].counters);
				bpf_probe_read_kernel(&held[i], sizeof(held[i]), (void *)(counter + distances[cpu]));
			}
		}
		for (int i = 0; i < NR_MM_COUNTERS; i++)
			p->memory[i] += held[i];
	}
	p->special |= EXACT_MEMORY;
	return 0;
}

// add_memory gives the memory of a process, with what CPUs hold back from its counts.
static __always_inline void add_memory(struct process *p, struct task_struct *task, struct sums *sums)
{
	struct mm_struct *mm = task->mm;
	if (!mm)
		return;
	p->special |= HAS_MEMORY;
	p->virtual = mm->total_vm;
	if (bpf_core_field_exists(((struct mm_struct___before_6_2 *)mm)->rss_stat.count))
		add_pages_of_threads(p, (void *)mm, sums);
	else
		add_pages_of_cpus(p, task);
}

static __always_inline u32 ones(u64 word)
{
	word -= (word >> 1) & 0x5555555555555555;
	word = (word & 0x3333333333333333) + ((word >> 2) & 0x3333333333333333);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return (word * 0x0101010101010101) >> 56;
}

// add_descriptors counts the bits of the bitmap that has one for each descriptor.
static __always_inline void add_descriptors(struct process *p, struct files_struct *files)
{
	p->special |= HAS_DESCRIPTORS;
	if (!files)
		return; // It has ended.
	struct fdtable *table = files->fdt;
	u32 words = table->max_fds / 64;
	unsigned long *open = table->open_fds;
	if (words > MAX_WORDS) {
		p->special &= ~HAS_DESCRIPTORS;
		return;
	}
	u32 count = 0;
	for (u32 i = 0; i < MAX_WORDS; i++) {
		if (i >= words)
			break;
		u64 word = 0;
		bpf_probe_read_kernel(&word, sizeof(word), open + i);
		count += ones(word);
	}
	p->descriptors = count;
}

// find_distances compares both addresses of what this map has for each CPU: the one that all CPUs share, and that of each CPU.
static __always_inline void find_distances(void)
{
	if (!bpf_core_field_exists(((struct mm_struct *)0)->rss_stat[0].counters))
		return;
	// Addresses are stored first: a pointer can't be computed with.
	distances[0] = (u64)&scratch;
	u64 shared = (u64)BPF_CORE_READ((struct bpf_array *)distances[0], pptrs[0]);
	u32 zero = 0;
	for (u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (cpu >= cpus)
			break;
		distances[cpu] = (u64)bpf_map_lookup_percpu_elem(&scratch, &zero, cpu);
		distances[cpu] -= shared;
	}
}

static __always_inline int dump(struct bpf_iter__task *context, bool loops)
{
	struct task_struct *task = context->task;
	if (!task || task->pid != task->tgid)
		return 0;
	u32 zero = 0;
	struct process *p = bpf_map_lookup_elem(&scratch, &zero);
	if (!p)
		return 0;
	__builtin_memset(p, 0, sizeof(*p));
	p->pid = task->pid;
	p->start = task->start_boottime;
	p->flags = task->flags;
	p->priority = task->static_prio;
	p->exit_state = task->exit_state;
	p->state = state_of(task);
	p->parent = task->real_parent->tgid;
	p->user = task->real_cred->euid.val;
	p->groups = (u64)task->cgroups;
	p->cgroup = task->cgroups->dfl_cgrp->kn->id;
	p->pending = task->pending.signal.sig[0];
	p->shared_pending = task->signal->shared_pending.signal.sig[0];
	BPF_CORE_READ_INTO(&p->comm, task, comm);

	struct sums sums;
	if (!add_threads(p, task, &sums, loops))
		p->special |= INCOMPLETE;
	p->times.user += sums.user;
	p->times.system += sums.system;
	p->times.ran += sums.ran;
	p->minor_faults += sums.minor_faults;
	p->major_faults += sums.major_faults;
	p->voluntary = p->ended_voluntary + sums.voluntary;
	p->involuntary = p->ended_involuntary + sums.involuntary;
	for (int i = 0; i < NR_IO; i++)
		p->io[i] = p->ended_io[i] + sums.io[i];
	if (bpf_core_field_exists(task->ioac.rchar))
		p->special |= HAS_LOGICAL_IO;
	if (bpf_core_field_exists(task->ioac.read_bytes))
		p->special |= HAS_DISK_IO;

	// Of most processes neither a thread nor a child has ended.
	if (p->ended_io[DISK_READ] | p->ended_io[DISK_WRITE] | p->ended_io[LOGICAL_READ] | p->ended_io[LOGICAL_WRITE]) {
		struct name name = {.start = p->start, .pid = p->pid};
		struct ending *ending = bpf_map_lookup_elem(&endings, &name);
		if (ending)
			__builtin_memcpy(p->threads_io, ending->io, sizeof(p->threads_io));
	}

	if (p->exit_state && p->threads > 1)
		p->special |= LEADER_ENDED;
	p->size = sizeof(*p) - sizeof(p->full_name);
	if (!(p->flags & PF_KTHREAD)) {
		add_memory(p, task, &sums);
	} else if (bpf_core_field_exists(task->worker_private) && bpf_core_field_exists(((struct kthread *)0)->full_name)) {
		struct kthread *thread = BPF_CORE_READ(task, worker_private);
		char *name = BPF_CORE_READ(thread, full_name);
		if (name) {
			p->size = sizeof(*p);
			bpf_probe_read_kernel(p->comm, sizeof(p->comm), name);
			bpf_probe_read_kernel_str(p->full_name, sizeof(p->full_name), name + sizeof(p->comm));
		}
	}
	if (descriptors)
		add_descriptors(p, task->files);
	if (p->size == sizeof(*p))
		bpf_seq_write(context->meta->seq, p, sizeof(*p));
	else
		bpf_seq_write(context->meta->seq, p, sizeof(*p) - sizeof(p->full_name));
	return 0;
}

SEC("iter/task")
int dump_processes(struct bpf_iter__task *context)
{
	if (context->meta->seq_num == 0)
		find_distances();
	return dump(context, true);
}

// dump_processes_without_loop is for kernels before Linux 5.17.
SEC("iter/task")
int dump_processes_without_loop(struct bpf_iter__task *context)
{
	if (context->meta->seq_num == 0)
		find_distances();
	return dump(context, false);
}

// ending_of returns what is kept of the process of a thread, and begins it if there is nothing yet; null where there is no room.
static __always_inline struct ending *ending_of(struct task_struct *thread, struct name *name)
{
	name->pid = thread->tgid;
	name->start = thread->group_leader->start_boottime;
	struct ending *ending = bpf_map_lookup_elem(&endings, name);
	if (ending)
		return ending;
	struct ending none = {};
	bpf_map_update_elem(&endings, name, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&endings, name);
}

// describe says what a process is called and whose it is.
static __always_inline void describe(struct ended *e, struct task_struct *task)
{
	e->pid = task->tgid;
	e->user = task->real_cred->euid.val;
	e->flags = task->flags;
	e->cgroup = task->cgroups->dfl_cgrp->kn->id;
	BPF_CORE_READ_INTO(&e->comm, task, comm);
}

// account gives the account of a process, to which threads are added when they are released.
static __always_inline void account(struct ended *e, struct signal_struct *signal)
{
	times_of(&e->times, signal);
	e->minor_faults = signal->min_flt;
	e->major_faults = signal->maj_flt;
	e->voluntary = signal->nvcsw;
	e->involuntary = signal->nivcsw;
}

// add_unreleased adds a thread that is not in the account yet.
static __always_inline void add_unreleased(struct ended *e, struct task_struct *thread)
{
	e->times.user += thread->utime;
	e->times.system += thread->stime;
	e->times.ran += thread->se.sum_exec_runtime;
	e->minor_faults += thread->min_flt;
	e->major_faults += thread->maj_flt;
	e->voluntary += thread->nvcsw;
	e->involuntary += thread->nivcsw;
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ((struct kernfs_node___before_6_15 *)node, parent);
}

// keep_path keeps the path of a control group. One that is too deep, or has too long a name, is not kept.
static __always_inline void keep_path(struct kernfs_node *node, u64 id)
{
	if (bpf_map_lookup_elem(&paths, &id))
		return;
	u32 zero = 0;
	struct path *path = bpf_map_lookup_elem(&scratch_path, &zero);
	if (!path)
		return;
	__builtin_memset(path, 0, sizeof(*path));
	for (int depth = 0; depth < MAX_DEPTH; depth++) {
		struct kernfs_node *parent = parent_of(node);
		if (!parent) {
			bpf_map_update_elem(&paths, &id, path, BPF_ANY);
			return;
		}
		long size = bpf_probe_read_kernel_str(path->names[depth], MAX_NAME, BPF_CORE_READ(node, name));
		if (size <= 1 || size >= MAX_NAME)
			return;
		node = parent;
	}
	if (!parent_of(node))
		bpf_map_update_elem(&paths, &id, path, BPF_ANY);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(thread_ends, struct task_struct *thread)
{
	struct name name = {};
	struct ending *ending = ending_of(thread, &name);
	if (!ending)
		return 0;
	u64 io[NR_IO] = {};
	io_of(io, &thread->ioac);
	if (thread->pid == thread->tgid) {
		__builtin_memcpy(ending->leader_io, io, sizeof(io));
	} else {
		for (int i = 0; i < NR_IO; i++)
			__sync_fetch_and_add(&ending->io[i], io[i]);
	}
	struct signal_struct *signal = thread->signal;
	struct ended *last = &ending->last;
	last->parent = thread->real_parent->tgid;
	if (signal->live.counter > 0)
		return 0;
	struct task_struct *leader = thread->group_leader;
	last->start = name.start;
	account(last, signal);
	add_unreleased(last, thread);
	if (leader->pid != thread->pid)
		add_unreleased(last, leader);
	last->lag.at = bpf_ktime_get_ns();
	last->lag.since = thread->se.exec_start;
	last->lag.ran = last->times.ran;
	last->lag.cpu = bpf_get_smp_processor_id();
	describe(last, leader);
	keep_path(leader->cgroups->dfl_cgrp->kn, last->cgroup);
	return 0;
}

// process_execs: where a thread that is not the first begins another program, it takes the place of the first.
SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_execs, struct task_struct *task, int old_pid)
{
	if (old_pid == task->pid)
		return 0;
	struct name name = {.start = task->start_boottime, .pid = task->tgid};
	struct ending *ending = bpf_map_lookup_elem(&endings, &name);
	if (!ending)
		return 0;
	for (int i = 0; i < NR_IO; i++) {
		__sync_fetch_and_add(&ending->io[i], ending->leader_io[i]);
		ending->leader_io[i] = 0;
	}
	return 0;
}

SEC("tp_btf/sched_process_free")
int BPF_PROG(process_released, struct task_struct *task)
{
	if (task->pid != task->tgid)
		return 0;
	struct ended e = {};
	e.start = task->start_boottime;
	describe(&e, task);
	account(&e, task->signal);
	io_of(e.io, &task->ioac);
	struct name name = {.start = e.start, .pid = e.pid};
	struct ending *ending = bpf_map_lookup_elem(&endings, &name);
	if (ending) {
		e.parent = ending->last.parent;
		e.lag = ending->last.lag;
		for (int i = 0; i < NR_IO; i++)
			e.io[i] += ending->io[i];
		bpf_map_delete_elem(&endings, &name);
	}
	// Whoever reads is woken when the ring is filled to a quarter, and comes by itself at each scan.
	u64 waiting = bpf_ringbuf_query(&ends, BPF_RB_AVAIL_DATA);
	u64 flags = waiting > (1 << 17) ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
	if (bpf_ringbuf_output(&ends, &e, sizeof(e), flags))
		__sync_fetch_and_add(&lost, 1);
	return 0;
}
