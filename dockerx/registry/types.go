package registry

import (
	"errors"
	"time"
)

// Sentinel errors; the chain says which image and why. Test with errors.Is.
var (
	ErrNoTag       = errors.New("the registry has no such image")
	ErrDenied      = errors.New("the registry refuses it or wants a login")
	ErrUnreachable = errors.New("the registry does not answer as it should")
	ErrNoPlatform  = errors.New("the image is not published for the platform")
)

// Remote is one image as its registry has it, for one platform.
type Remote struct {
	Digest         string            // what `repo@digest` pulls: of the index where there is one, else of the manifest
	PlatformDigest string            // of the manifest for the platform asked for
	Size           int64             // compressed layers together, in bytes
	Labels         map[string]string // of the image's configuration, hostile
	Created        time.Time         // zero when the image does not say
}
