// Package demoapp is Tidepool, a small notes server with real data, real
// migrations and real ways to fail: the application that `belay demo` upgrades.
// It runs as a child process of belay's own binary and must know nothing of
// engines, compose files or upgrades.
package demoapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Name is the program's name inside its image: argv[0] of an exec.
const Name = "tidepool"

// The ways a version can be broken, as the image bakes them into EnvFail.
const (
	FailMigration = "migration" // stops half way through its migration, with part of it committed
	FailHealth    = "health"    // stays up and answers 503
	FailCrash     = "crash"     // exits some seconds after it became ready
)

// The environment that Tidepool reads. EnvVersion, EnvFail, EnvPace and EnvNotes
// come from the image; the others from whoever runs it.
const (
	EnvVersion = "TIDEPOOL_VERSION"
	EnvFail    = "TIDEPOOL_FAIL"
	EnvPace    = "TIDEPOOL_PACE"  // pause between two batches of a migration, "150ms"
	EnvNotes   = "TIDEPOOL_NOTES" // notes to seed on the first start
	EnvData    = "TIDEPOOL_DATA"  // data directory, "/data"
	EnvTitle   = "TIDEPOOL_TITLE"
	EnvMailOld = "TIDEPOOL_MAIL_URL"   // until 1.2; read with a warning by 1.3
	EnvMail    = "TIDEPOOL_MAILER_DSN" // since 1.3
	EnvSecret  = "TIDEPOOL_SECRET"     // since 2.0, without it the app does not start
)

// Exit codes of Tidepool.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitMissing = 3 // count: a table that was asked for does not exist
)

const usage = `usage: tidepool [--root DIR] [--mount TARGET=DIR]... [--listen HOST:PORT]... [COMMAND]
commands: serve (default), count [TABLE...], check, version`

// Main runs Tidepool with args (without the program's name) and returns its exit
// code. `serve` ends on SIGTERM, and when stdin reaches its end: whoever started
// it is gone then.
func Main(args, environ []string, stdin io.Reader, stdout, stderr io.Writer) int {
	log := &logger{out: stdout, err: stderr}
	cfg, err := parse(args, environ)
	if err != nil {
		fmt.Fprintf(stderr, "%v\n%s\n", err, usage)
		return exitUsage
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()

	switch cfg.command {
	case "serve":
		ctx, cancel := untilEOF(ctx, stdin)
		defer cancel()
		err = serve(ctx, cfg, log)
	case "count":
		return count(ctx, cfg, stdout, stderr)
	case "check":
		err = check(ctx, cfg, stdout)
	case "version":
		fmt.Fprintln(stdout, cfg.version)
	default:
		fmt.Fprintf(stderr, "unknown command %q\n%s\n", cfg.command, usage)
		return exitUsage
	}
	if err == nil {
		return exitOK
	}
	log.error("%v", err)
	if errors.Is(err, errCrash) {
		return exitUsage // a Go program that panics exits 2
	}
	return exitFailed
}

// untilEOF ends the context when r has nothing more to give. The reading
// goroutine ends with r; for a child process that is the process's own end.
func untilEOF(ctx context.Context, r io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	if r == nil {
		return ctx, cancel
	}
	go func() {
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	return ctx, cancel
}

func lookup(environ []string, key string) string {
	for i := len(environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(environ[i], key+"="); ok {
			return v
		}
	}
	return ""
}
