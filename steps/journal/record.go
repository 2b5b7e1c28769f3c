package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Format is the version of a record. A reader that meets a newer one refuses.
const Format = 1

// maxRecord bounds one record: a length beyond it is damage, not data.
const maxRecord = 1 << 20

// Phase says what a record tells of its step.
type Phase string

// The phases.
const (
	Intent     Phase = "intent"      // durable before the effect
	Done       Phase = "done"        // durable after the effect was observed
	Failed     Phase = "fail"        // the step gave up
	UndoIntent Phase = "undo_intent" // before an effect is taken back
	UndoDone   Phase = "undo_done"
	Note       Phase = "note" // resumed, stopped by the user …
	End        Phase = "end"  // the run is closed; Facts hold the outcome
)

// Record is one entry of a run's journal. Facts never hold secrets.
type Record struct {
	V       int               `json:"v"`
	Seq     uint64            `json:"seq"`
	Run     string            `json:"run"`
	Step    string            `json:"step,omitempty"`
	Phase   Phase             `json:"phase"`
	Attempt int               `json:"attempt,omitempty"`
	Boot    string            `json:"boot,omitempty"`
	PID     int               `json:"pid"`
	Wall    time.Time         `json:"wall"`
	Facts   map[string]string `json:"facts,omitempty"`
}

// NewerError is a journal or plan written by a newer belay.
type NewerError struct {
	What string
	Have int
}

// Error names both formats.
func (e *NewerError) Error() string {
	return fmt.Sprintf("%s has format %d, this belay reads up to %d: use the newer belay that wrote it", e.What, e.Have, Format)
}

// encode frames a record: length, CRC-32C, JSON and a newline, little endian.
func encode(r Record) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	body = append(body, '\n')
	if len(body) > maxRecord {
		return nil, fmt.Errorf("record of %d bytes is too large", len(body))
	}
	frame := make([]byte, 8, 8+len(body))
	binary.LittleEndian.PutUint32(frame[0:], uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[4:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	return append(frame, body...), nil
}

var errTail = errors.New("tail is damaged")

// Decode reads the valid prefix of a journal. good is its length in bytes;
// whatever follows is a torn, zeroed or foreign tail. Only a record of a newer
// format is an error.
func Decode(data []byte, run string) (records []Record, good int, err error) {
	var last uint64
	for rest := data; len(rest) > 0; rest = data[good:] {
		r, n, derr := decodeOne(rest)
		var newer *NewerError
		if errors.As(derr, &newer) {
			return records, good, derr
		}
		if derr != nil {
			return records, good, nil
		}
		if run != "" && r.Run != run {
			return records, good, nil
		}
		if r.Seq != last && r.Seq != last+1 {
			return records, good, nil
		}
		good += n
		if r.Seq == last && last != 0 {
			continue // written twice: the first one counts
		}
		last = r.Seq
		records = append(records, r)
	}
	return records, good, nil
}

func decodeOne(b []byte) (Record, int, error) {
	if len(b) < 8 {
		return Record{}, 0, errTail
	}
	n := int(binary.LittleEndian.Uint32(b[0:]))
	if n < 2 || n > maxRecord || len(b) < 8+n {
		return Record{}, 0, errTail
	}
	body := b[8 : 8+n]
	if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(b[4:]) {
		return Record{}, 0, errTail
	}
	var head struct {
		V int `json:"v"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return Record{}, 0, errTail
	}
	if head.V > Format {
		return Record{}, 0, &NewerError{What: "the journal", Have: head.V}
	}
	var r Record
	if err := json.Unmarshal(bytes.TrimRight(body, "\n"), &r); err != nil {
		return Record{}, 0, errTail
	}
	return r, 8 + n, nil
}
