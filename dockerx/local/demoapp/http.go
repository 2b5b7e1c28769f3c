package demoapp

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	statusStarting  = "starting"
	statusOK        = "ok"
	statusUnhealthy = "unhealthy"

	maxBody  = 1 << 20
	maxNotes = 500
)

// app answers HTTP. It may be asked before its database is ready.
type app struct {
	cfg config

	mu     sync.Mutex
	db     *sql.DB
	status string
}

type note struct {
	ID        int64  `json:"id"`
	Title     string `json:"title"`
	Body      string `json:"body"`
	CreatedAt string `json:"created_at"`
}

type health struct {
	Status  string            `json:"status"`
	Version string            `json:"version"`
	Checks  map[string]string `json:"checks"`
}

func (a *app) begin(db *sql.DB) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.db, a.status = db, statusOK
}

func (a *app) state() (*sql.DB, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.db, a.status
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", a.health)
	mux.HandleFunc("GET /api/notes", a.ready(a.list))
	mux.HandleFunc("POST /api/notes", a.ready(a.add))
	return mux
}

func (a *app) health(w http.ResponseWriter, r *http.Request) {
	db, status := a.state()
	h := health{Status: status, Version: a.cfg.version, Checks: map[string]string{}}
	if db != nil {
		h.Checks["database"] = "ok"
		if err := a.ping(r.Context(), db); err != nil {
			h.Status, h.Checks["database"] = statusUnhealthy, err.Error()
		}
		if a.cfg.fail == FailHealth {
			h.Status, h.Checks["search"] = statusUnhealthy, "index is missing"
		}
	}
	code := http.StatusOK
	if h.Status != statusOK {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, h)
}

// ping reads what this version cannot do without: a half migrated database is
// no longer the old one either.
func (a *app) ping(ctx context.Context, db *sql.DB) error {
	q := `SELECT count(labels) FROM notes`
	if a.cfg.has(1, 3) {
		q = `SELECT count(*) FROM tags`
	}
	var n int
	return db.QueryRowContext(ctx, q).Scan(&n)
}

// ready lets a handler run only when the database is there.
func (a *app) ready(do func(http.ResponseWriter, *http.Request, *sql.DB)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		db, _ := a.state()
		if db == nil {
			refuse(w, http.StatusServiceUnavailable, "starting")
			return
		}
		do(w, r, db)
	}
}

func (a *app) list(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	limit := 20
	if v := r.FormValue("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 || n > maxNotes {
			refuse(w, http.StatusBadRequest, "limit must be 1 to "+strconv.Itoa(maxNotes))
			return
		}
		limit = n
	}
	notes, err := newest(r.Context(), db, limit)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, http.StatusOK, notes)
}

func newest(ctx context.Context, db *sql.DB, limit int) ([]note, error) {
	const q = `SELECT id, title, body, created_at FROM notes ORDER BY id DESC LIMIT ?`
	rows, err := db.QueryContext(ctx, q, limit)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	notes := []note{}
	for rows.Next() {
		var n note
		if err := rows.Scan(&n.ID, &n.Title, &n.Body, &n.CreatedAt); err != nil {
			return nil, err
		}
		notes = append(notes, n)
	}
	return notes, rows.Err()
}

func (a *app) add(w http.ResponseWriter, r *http.Request, db *sql.DB) {
	var n note
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&n); err != nil {
		refuse(w, http.StatusBadRequest, "a note is {\"title\", \"body\"}: "+err.Error())
		return
	}
	if n.Title == "" {
		refuse(w, http.StatusBadRequest, "a note needs a title")
		return
	}
	n.CreatedAt = time.Now().UTC().Format(time.RFC3339)
	const insert = `INSERT INTO notes (title, body, created_at) VALUES (?, ?, ?) RETURNING id`
	if err := db.QueryRowContext(r.Context(), insert, n.Title, n.Body, n.CreatedAt).Scan(&n.ID); err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	answer(w, http.StatusCreated, n)
}

func refuse(w http.ResponseWriter, code int, why string) {
	answer(w, code, map[string]string{"error": why})
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone: nobody to tell
}
