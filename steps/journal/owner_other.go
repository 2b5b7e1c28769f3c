//go:build !unix

package journal

import (
	"errors"
	"os"
)

func checkOwner(string) error { return nil }

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
