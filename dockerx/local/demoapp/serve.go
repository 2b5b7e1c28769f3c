package demoapp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

var errCrash = errors.New("panic: runtime error: index out of range [7] with length 7")

const (
	crashAfter = 4 * time.Second
	shutdown   = 5 * time.Second
)

// serve prepares the data and answers HTTP until ctx ends. Without an address it
// does everything but listen: enough to prove that its data opens.
func serve(ctx context.Context, cfg config, log *logger) error {
	log.info("Tidepool %s is starting", cfg.version)
	if err := demands(cfg, log); err != nil {
		return err
	}
	app := &app{cfg: cfg, status: statusStarting}
	failed := make(chan error, 1)
	stop, err := listen(ctx, cfg, app, failed)
	if err != nil {
		return err
	}
	db, err := prepare(ctx, cfg, log)
	if err != nil {
		stop()
		if ctx.Err() != nil {
			log.info("Stopped while starting")
			return nil
		}
		return err
	}
	app.begin(db)
	announce(cfg, log)

	err = wait(ctx, cfg, failed)
	if err == nil {
		log.info("Shutting down")
	}
	stop()
	if closeErr := db.Close(); closeErr != nil && err == nil {
		return fmt.Errorf("close database: %w", closeErr)
	}
	if err == nil {
		log.info("Stopped")
	}
	return err
}

// demands refuses to start without what this version needs.
func demands(cfg config, log *logger) error {
	if cfg.has(2, 0) && cfg.secret == "" {
		return fmt.Errorf("%s is not set: Tidepool 2 signs its sessions with it and does not start without", EnvSecret)
	}
	if cfg.has(1, 3) && cfg.mailOld {
		log.warn("%s is deprecated, use %s", EnvMailOld, EnvMail)
	}
	return nil
}

func listen(ctx context.Context, cfg config, app *app, failed chan<- error) (stop func(), err error) {
	server := &http.Server{Handler: app.handler(), ReadHeaderTimeout: 5 * time.Second}
	var lc net.ListenConfig
	for _, address := range cfg.listen {
		l, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen: %w", err), server.Close())
		}
		go func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				select {
				case failed <- err:
				default: // one failure is enough
				}
			}
		}()
	}
	return func() {
		// The end has come already: ctx is over, so this needs its own time.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
		defer cancel()
		_ = server.Shutdown(ctx) // what does not end in time ends with the process
	}, nil
}

func announce(cfg config, log *logger) {
	if cfg.fail == FailHealth {
		log.error("search: the index cannot be built, /health answers 503")
	}
	log.info("Tidepool %s is ready", cfg.version)
	for _, address := range cfg.listen {
		log.info("Listening on http://%s", address)
	}
}

func wait(ctx context.Context, cfg config, failed <-chan error) error {
	var crash <-chan time.Time
	if cfg.fail == FailCrash {
		t := time.NewTimer(crashAfter)
		defer t.Stop()
		crash = t.C
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-crash:
		return errCrash
	}
}
