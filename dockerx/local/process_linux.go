package local

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is USER_HZ: 100 on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// startOf is the moment a process started, in clock ticks since boot. "" means
// there is no such process, or only its remains.
func startOf(pid int) string {
	fields := stat(pid)
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[19]
}

// usageOf reads what a process has used since its start.
func usageOf(pid int) (cpu time.Duration, block int64, err error) {
	fields := stat(pid)
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("process %d is gone", pid)
	}
	for _, f := range fields[11:13] { // utime, stime
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("process %d: %w", pid, err)
		}
		cpu += time.Duration(ticks) * clockTick
	}
	io, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return cpu, 0, nil
	}
	for line := range strings.Lines(string(io)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && (key == "read_bytes" || key == "write_bytes") {
			block += n
		}
	}
	return cpu, block, nil
}

// stat gives the fields of /proc/PID/stat after the program's name, which may
// hold spaces: the first is the state.
func stat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	end := strings.LastIndexByte(string(b), ')')
	return strings.Fields(string(b[end+1:]))
}
