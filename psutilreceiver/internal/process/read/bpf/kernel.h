// SPDX-License-Identifier: MIT OR GPL-2.0-only

// What the programs read of the kernel's structures. Only these members are declared: where each stands in the running kernel is found when
// the programs are loaded, from the types that the kernel publishes in /sys/kernel/btf/vmlinux (CO-RE). A name that ends in ___ and something is another form
// of a structure in some kernels; the kernel's name is what stands before.
#ifndef KERNEL_H
#define KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

typedef __u64 u64;
typedef __u32 u32;
typedef __s32 s32;
typedef _Bool bool;

enum { false, true };

#define PF_KTHREAD 0x00200000 // include/linux/sched.h

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct list_head {
	struct list_head *next;
};

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	u64 counter;
} atomic_long_t;

typedef struct {
	u32 val;
} kuid_t;

typedef struct {
	u32 unused;
} seqlock_t;

typedef struct {
	unsigned long sig[1];
} sigset_t;

struct sigpending {
	sigset_t signal;
};

struct task_io_accounting {
	u64 rchar; // not without CONFIG_TASK_XACCT
	u64 wchar;
	u64 read_bytes; // not without CONFIG_TASK_IO_ACCOUNTING
	u64 write_bytes;
};

struct prev_cputime {
	u64 utime;
	u64 stime;
};

struct signal_struct {
	atomic_t live;
	int nr_threads;
	struct list_head thread_head;
	struct sigpending shared_pending;
	seqlock_t stats_lock;
	u64 utime, stime, cutime, cstime;
	struct prev_cputime prev_cputime;
	unsigned long nvcsw, nivcsw;
	unsigned long min_flt, maj_flt, cmin_flt;
	struct task_io_accounting ioac;
	unsigned long long sum_sched_runtime;
};

struct percpu_counter {
	__s64 count;
	s32 *counters;
};

enum {
	MM_FILEPAGES,
	MM_ANONPAGES,
	MM_SWAPENTS,
	MM_SHMEMPAGES,
	NR_MM_COUNTERS
};

struct mm_struct {
	unsigned long total_vm;
	struct percpu_counter rss_stat[NR_MM_COUNTERS]; // since Linux 6.2
};

struct mm_rss_stat {
	atomic_long_t count[NR_MM_COUNTERS];
};

struct mm_struct___before_6_2 {
	struct mm_rss_stat rss_stat;
};

struct task_rss_stat {
	int count[NR_MM_COUNTERS];
};

struct fdtable {
	unsigned int max_fds;
	unsigned long *open_fds;
};

struct files_struct {
	struct fdtable *fdt;
};

struct cred {
	kuid_t euid;
};

struct kernfs_node {
	u64 id;
	struct kernfs_node *__parent; // since Linux 6.15
	const char *name;
};

struct kernfs_node___before_6_15 {
	struct kernfs_node *parent;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct sched_entity {
	u64 exec_start;
	u64 sum_exec_runtime;
};

struct kthread {
	char *full_name; // since Linux 5.17
};

struct task_struct {
	unsigned int __state; // since Linux 5.14
	unsigned int flags;
	int static_prio;
	struct sched_entity se;
	struct mm_struct *mm;
	int exit_state;
	int pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct list_head thread_node;
	void *worker_private; // since Linux 5.17
	u64 utime, stime;
	unsigned long nvcsw, nivcsw;
	u64 start_boottime;
	unsigned long min_flt, maj_flt;
	struct cred *real_cred;
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
	struct sigpending pending;
	struct css_set *cgroups;
	struct task_io_accounting ioac;
};

struct task_struct___before_5_14 {
	long state;
};

struct task_struct___before_6_2 {
	struct task_rss_stat rss_stat; // what the thread has not yet added to the memory of its process
};

struct bpf_array {
	void *pptrs[1];
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

#endif
