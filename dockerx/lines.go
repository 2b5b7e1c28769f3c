package dockerx

import (
	"bytes"
	"time"
)

// maxLine is how much of one log line is delivered; the rest of the line is
// dropped, so that a container cannot fill belay's memory.
const maxLine = 64 << 10

// lineSplitter cuts one log stream, written with the engine's timestamps, into
// lines.
type lineSplitter struct {
	emit func(at time.Time, text []byte)
	// framed: every Write is one message of the engine with a timestamp of its
	// own. The engine splits lines above 16 KiB into several such messages.
	framed bool

	line  []byte
	stamp time.Time
	open  bool // a line has begun
}

// Write takes the next bytes. It never fails.
func (s *lineSplitter) Write(p []byte) (int, error) {
	total := len(p)
	if s.framed && s.open {
		if at, rest, ok := cutStamp(p); ok {
			p = rest
			if s.stamp.IsZero() {
				s.stamp = at
			}
		}
	}
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.add(p)
			break
		}
		s.add(p[:end])
		s.flush()
		p = p[end+1:]
	}
	return total, nil
}

func (s *lineSplitter) add(p []byte) {
	s.open = true
	// Room for the timestamp in front, which is not part of the line.
	s.line = append(s.line, p[:min(len(p), maxLine+stampRoom-len(s.line))]...)
}

// flush delivers what has been collected as a line, if anything has.
func (s *lineSplitter) flush() {
	if !s.open {
		return
	}
	text := s.line
	if at, rest, ok := cutStamp(text); ok {
		s.stamp, text = at, rest
	}
	text = bytes.TrimSuffix(text[:min(len(text), maxLine)], []byte("\r"))
	s.emit(s.stamp, bytes.Clone(text))
	s.line, s.open, s.stamp = s.line[:0], false, time.Time{}
}

// stampRoom is the length of the longest timestamp with the blank after it.
const stampRoom = len("2006-01-02T15:04:05.000000000+00:00 ")

// cutStamp takes the engine's timestamp off the front.
func cutStamp(p []byte) (time.Time, []byte, bool) {
	end := bytes.IndexByte(p[:min(len(p), stampRoom)], ' ')
	if end < 0 {
		return time.Time{}, p, false
	}
	at, err := time.Parse(time.RFC3339Nano, string(p[:end]))
	if err != nil {
		return time.Time{}, p, false
	}
	return at, p[end+1:], true
}
