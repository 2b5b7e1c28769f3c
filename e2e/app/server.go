package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"belay/e2e/app/pg"
)

// maxUpload bounds one upload.
const maxUpload = 16 << 20

// server answers over HTTP.
type server struct {
	db      *database
	dir     string // of the uploads
	release release
}

func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /rows", s.rows)
	mux.HandleFunc("POST /entries", s.book)
	mux.HandleFunc("PUT /uploads/{name}", s.upload)
	mux.Handle("GET /uploads/", http.StripPrefix("/uploads/", http.FileServer(http.Dir(s.dir))))
	return mux
}

func (s *server) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	status, db, code := "ok", "ok", http.StatusOK
	if _, err := s.db.query(ctx, "SELECT 1"); err != nil {
		status, db, code = "unhealthy", err.Error(), http.StatusServiceUnavailable
	}
	if s.release.sick {
		status, code = "unhealthy", http.StatusServiceUnavailable
	}
	reply(w, code, map[string]any{
		"status": status, "version": version, "checks": map[string]string{"database": db},
	})
}

func (s *server) rows(w http.ResponseWriter, r *http.Request) {
	rows, err := s.db.query(r.Context(), `SELECT (SELECT count(*) FROM accounts), (SELECT count(*) FROM entries)`)
	if err != nil {
		reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	counts := map[string]int{}
	for i, table := range []string{"accounts", "entries"} {
		if counts[table], err = strconv.Atoi(rows[0][i]); err != nil {
			reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
			return
		}
	}
	reply(w, http.StatusOK, counts)
}

// book writes one entry into the table as this version knows it.
func (s *server) book(w http.ResponseWriter, r *http.Request) {
	column := "category"
	if len(s.release.migrations) > len(base()) {
		column = "kind"
	}
	memo, err := io.ReadAll(io.LimitReader(r.Body, 1024))
	if err != nil {
		reply(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	_, err = s.db.query(r.Context(), fmt.Sprintf(`INSERT INTO entries (account_id, amount, %s, memo)
		VALUES ((SELECT min(id) FROM accounts), 1, 'booked', %s)`, column, pg.Literal(string(memo))))
	if err != nil {
		reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusCreated, map[string]string{"status": "booked"})
}

func (s *server) upload(w http.ResponseWriter, r *http.Request) {
	name := filepath.Join(s.dir, filepath.Base(r.PathValue("name")))
	if err := store(name, http.MaxBytesReader(w, r.Body, maxUpload)); err != nil {
		reply(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	reply(w, http.StatusCreated, map[string]string{"status": "stored"})
}

func store(name string, body io.Reader) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, body); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func reply(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client has gone when this fails
}
