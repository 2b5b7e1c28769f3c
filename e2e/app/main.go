// Command ledger is the app that the scenarios upgrade: it keeps accounts and
// entries in PostgreSQL and uploads in a directory, migrates its schema when it
// starts, and says over HTTP how it is. Each version behaves as releases.go says.
// It must not know belay.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is set when the image is built.
var version = "0.0.0"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "health":
		err = health(ctx)
	case len(os.Args) == 1:
		err = serve(ctx)
	default:
		err = errors.New("usage: ledger [health]")
	}
	if err != nil {
		logf("error", "%v", err)
		stop()
		os.Exit(1)
	}
}

// serve migrates, then answers until the process is told to stop.
func serve(ctx context.Context) error {
	r, ok := releases()[version]
	if !ok {
		return fmt.Errorf("there is no version %s", version)
	}
	logf("info", "Starting Ledger %s", version)
	if r.needs != "" && os.Getenv(r.needs) == "" {
		return fmt.Errorf("environment variable %s is missing. See the upgrade notes of %s", r.needs, version)
	}
	db := newDatabase(os.Getenv)
	defer db.close()
	if err := db.wait(ctx, 30*time.Second); err != nil {
		return err
	}
	if err := migrate(ctx, db, r.migrations); err != nil {
		return err
	}
	s := &server{db: db, dir: uploads(), release: r}
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return err
	}
	h := &http.Server{Addr: ":8080", Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	unregister := context.AfterFunc(ctx, func() {
		logf("info", "Stopping Ledger.Endpoint")
		_ = h.Shutdown(context.Background())
	})
	defer unregister()
	logf("info", "Running Ledger.Endpoint at http://0.0.0.0:8080")
	if err := h.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// health is what the container's healthcheck runs.
func health(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:8080/healthz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("healthz says %s", res.Status)
	}
	return nil
}

func uploads() string {
	if d := os.Getenv("LEDGER_DATA"); d != "" {
		return d
	}
	return "/data/uploads"
}

// logf writes one line in the shape of a web framework's logger.
func logf(level, format string, args ...any) {
	fmt.Fprintf(os.Stdout, "%s [%s] %s\n", time.Now().UTC().Format("15:04:05.000"), level, fmt.Sprintf(format, args...))
}
