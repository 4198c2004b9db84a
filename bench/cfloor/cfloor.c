/*
 * cfloor: what the kernel alone takes to give the files of all processes.
 *
 * It lists /proc and, for each process, opens, reads and closes the named files, and does nothing with what it reads: the floor for any
 * reader of these files. It prints the CPU time in nanoseconds per process, user and system together, of its cheapest round.
 *
 *	cc -O2 -o cfloor cfloor.c
 *	./cfloor 100 stat io		(100 rounds over PID/stat and PID/io)
 *
 * BenchmarkScan of psutilreceiver/internal/process/read runs it over the same processes if CFLOOR holds its path:
 *
 *	CFLOOR=$PWD/cfloor go test -run '^$' -bench Scan ./psutilreceiver/internal/process/read/
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static char entries[32 << 10];
static char text[16 << 10];

static double cpu_nanoseconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3;
}

static void read_files(int proc, const char *pid, char **files, int count)
{
	char name[64];
	int i, fd;

	for (i = 0; i < count; i++) {
		char *end = stpcpy(name, pid);

		*end++ = '/';
		strcpy(end, files[i]);
		fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (read(fd, text, sizeof(text)) < 0)
			text[0] = 0; /* the process has gone */
		close(fd);
	}
}

/* round_over reads the files of every process once and returns the number of processes. */
static long round_over(int proc, char **files, int count)
{
	long processes = 0, n, at;

	lseek(proc, 0, SEEK_SET);
	while ((n = syscall(SYS_getdents64, proc, entries, sizeof(entries))) > 0) {
		for (at = 0; at < n;) {
			struct dirent64 *d = (struct dirent64 *)(entries + at);

			at += d->d_reclen;
			if (d->d_name[0] < '1' || d->d_name[0] > '9')
				continue;
			read_files(proc, d->d_name, files, count);
			processes++;
		}
	}
	return processes;
}

int main(int argc, char **argv)
{
	double begin, cost, least = 0;
	long rounds, processes;
	int i, proc;

	if (argc < 3 || (rounds = atol(argv[1])) < 1) {
		fprintf(stderr, "usage: cfloor ROUNDS FILE...\n");
		return 2;
	}
	for (i = 2; i < argc; i++) {
		if (strlen(argv[i]) > 32) {
			fprintf(stderr, "cfloor: the name of a file of /proc/PID is not that long: %s\n", argv[i]);
			return 2;
		}
	}
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0) {
		perror("cfloor: opening /proc");
		return 1;
	}
	for (i = 0; i < rounds; i++) {
		begin = cpu_nanoseconds();
		processes = round_over(proc, argv + 2, argc - 2);
		if (processes == 0) {
			fprintf(stderr, "cfloor: no process in /proc\n");
			return 1;
		}
		cost = (cpu_nanoseconds() - begin) / processes;
		if (i == 0 || cost < least)
			least = cost;
	}
	printf("%.1f\n", least);
	return 0;
}
