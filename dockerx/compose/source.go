package compose

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// maxFile bounds every compose and env file that is read: a larger one is a
// mistake (or an attack), and all of it would have to fit into memory twice.
const maxFile = 10 << 20

// readLimited reads a regular file, in sentences when it cannot. at is where the
// file is named; without a place the error points to the file itself.
func readLimited(path string, at Place) ([]byte, error) {
	if at.File == "" {
		at.File = path
	}
	// O_NONBLOCK: a FIFO that lies where a file should be must not hang the load.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openFailed(path, at, err)
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, openFailed(path, at, err)
	}
	if info.IsDir() {
		return nil, failAt(at, syscall.EISDIR, "%s is a directory, not a file", path)
	}
	if !info.Mode().IsRegular() {
		return nil, failAt(at, fs.ErrInvalid, "%s is not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, openFailed(path, at, err)
	}
	if len(data) > maxFile {
		return nil, failAt(at, fs.ErrInvalid, "%s is larger than 10 MB, which no compose project needs", path)
	}
	return data, nil
}

func openFailed(path string, at Place, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return failAt(at, err, "the file %s does not exist", path)
	case errors.Is(err, fs.ErrPermission):
		return failAt(at, err, "the file %s cannot be read: permission denied", path)
	default:
		return failAt(at, err, "the file %s cannot be read: %s", path, plainCause(err))
	}
}

func plainCause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// lineAt gives the line that holds the byte at offset: its number from 1, its
// first byte, and the byte after its last (line end not counted).
func lineAt(data []byte, offset int) (number, start, end int) {
	number = 1 + bytes.Count(data[:offset], []byte{'\n'})
	start = bytes.LastIndexByte(data[:offset], '\n') + 1
	end = len(data)
	if i := bytes.IndexByte(data[offset:], '\n'); i >= 0 {
		end = offset + i
	}
	if end > start && data[end-1] == '\r' {
		end--
	}
	return number, start, end
}

// placeAt turns a byte offset into a place. Columns count characters, and a
// byte order mark is no character.
func placeAt(path string, data []byte, offset int) Place {
	line, start, _ := lineAt(data, offset)
	text := data[start:offset]
	if start == 0 {
		text = bytes.TrimPrefix(text, []byte(bom))
	}
	return Place{File: path, Line: line, Col: 1 + len([]rune(string(text)))}
}
