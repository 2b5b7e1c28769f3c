package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// classify turns what the library returns into this package's errors. parent is
// the caller's context: when it was cancelled, that is the error.
func classify(parent context.Context, err error) error {
	for _, own := range []error{ErrNoTag, ErrDenied, ErrUnreachable, ErrNoPlatform} {
		if errors.Is(err, own) {
			return err
		}
	}
	if parent.Err() != nil {
		return parent.Err()
	}
	var answer *transport.Error
	if !errors.As(err, &answer) {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	for _, d := range answer.Errors {
		switch d.Code {
		case transport.ManifestUnknownErrorCode, transport.NameUnknownErrorCode, transport.NameInvalidErrorCode, transport.TagInvalidErrorCode:
			return ErrNoTag
		case transport.UnauthorizedErrorCode, transport.DeniedErrorCode:
			return ErrDenied
		default: // its status says more
		}
	}
	switch answer.StatusCode {
	case http.StatusNotFound:
		return ErrNoTag
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusTooManyRequests:
		return fmt.Errorf("%w: its request limit is used up, try later or log in", ErrUnreachable)
	}
	// The answer's own text stays out: it may be a whole page, and it is hostile.
	return fmt.Errorf("%w: it answered %d", ErrUnreachable, answer.StatusCode)
}

func isGone(err error) bool { return errors.Is(err, ErrNoTag) }
