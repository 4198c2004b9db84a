package read

import "golang.org/x/sys/unix"

// leaderHasExited tells whether the first thread of a process has exited and others live. The kernel counts the first one among the threads
// until all have exited, and gives the state of the process, its memory and its descriptors as those of this thread. Times, faults and I/O are
// those of all threads.
func (p *ProcessState) leaderHasExited() bool {
	return (p.State == 'Z' || p.State == 'X') && p.Levels[Threads] > 1
}

// readLiveThread finds a thread that lives, and takes from it the state and the memory, which all threads share.
func (r *Reader) readLiveThread(s *Sample) {
	var thread Sample
	errno := r.eachEntry(s.PID, FileTask, 0, func(tid int32) {
		if tid == s.PID || s.LiveThread != 0 {
			return
		}
		text, errno := r.dir.readTask(s.PID, FileStat, tid)
		if errno != 0 || !parseStat(text, r.pageSize, &thread) || thread.State == 'Z' || thread.State == 'X' {
			return // It has exited.
		}
		s.LiveThread, s.State = tid, thread.State
		s.Levels[Virtual], s.Levels[Resident] = thread.Levels[Virtual], thread.Levels[Resident]
	})
	r.countError(FileTask, errno)
}

// readTextOf reads a file of a process, of the thread that stands for it if its first one has exited, and counts an error.
func (r *Reader) readTextOf(s *Sample, f File) ([]byte, bool) {
	if s.LiveThread == 0 {
		return r.readText(s.PID, f)
	}
	text, errno := r.dir.readTask(s.PID, f, s.LiveThread)
	if errno == unix.ESRCH || errno == unix.ENOENT {
		return nil, false // It has exited since.
	}
	r.countError(f, errno)
	return text, errno == 0
}
