package compose

import (
	"errors"
	"fmt"
)

// Sentinel errors. Test with errors.Is; the wrapped chain carries the sentence.
var (
	ErrNoFile         = errors.New("no compose file")
	ErrForeign        = errors.New("the file was changed by somebody else")
	ErrComposeV1      = errors.New("docker-compose v1 is not supported")
	ErrComposeMissing = errors.New("docker compose is not installed")
)

func failAt(at Place, err error, format string, args ...any) *Error {
	return &Error{Place: at, Msg: fmt.Sprintf(format, args...), Err: err}
}
