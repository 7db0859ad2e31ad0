//go:build linux

package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// tick is the unit of CPU time in /proc (USER_HZ, which Linux fixes at 100 for programs).
const tick = time.Second / 100

// Usage is what a process uses.
type Usage struct {
	// Resident is its memory in RAM, in bytes.
	Resident int64
	// CPU is the time that it has run, on all cores together.
	CPU time.Duration
}

// Usage reads /proc (proc(5): statm, stat).
func (p *Process) Usage() (Usage, error) {
	statm, err := p.fields("statm")
	if err != nil {
		return Usage{}, err
	}
	stat, err := p.fields("stat")
	if err != nil {
		return Usage{}, err
	}
	if len(statm) < 2 || len(stat) < 13 {
		return Usage{}, fmt.Errorf("%s: /proc is not as expected", p.name)
	}
	pages, err := strconv.ParseInt(statm[1], 10, 64)
	if err != nil {
		return Usage{}, err
	}
	var ticks time.Duration
	for _, field := range stat[11:13] { // utime and stime, fields 14 and 15 of all
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return Usage{}, err
		}
		ticks += time.Duration(n)
	}
	return Usage{Resident: pages * int64(os.Getpagesize()), CPU: ticks * tick}, nil
}

// fields reads a file of /proc. The program's name, which may hold anything, is left out with what is before it.
func (p *Process) fields(file string) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.PID(), file))
	if err != nil {
		return nil, err
	}
	if end := bytes.LastIndexByte(text, ')'); end >= 0 {
		text = text[end+1:]
	}
	var fields []string
	for _, field := range bytes.Fields(text) {
		fields = append(fields, string(field))
	}
	return fields, nil
}
