package dockerx

import (
	"net/http"
	"testing"
)

// A container in a crash loop is between two lives at any moment: the engine
// refuses the update then, and the rollback of just such an app must not end there.
func TestRestartPolicyOfACrashingContainer(t *testing.T) {
	calls := 0
	environ := fakeEngine(t, map[string]http.HandlerFunc{
		"POST /v1.41/containers/c/update": func(w http.ResponseWriter, _ *http.Request) {
			if calls++; calls < 4 {
				w.WriteHeader(http.StatusInternalServerError)
				_, _ = w.Write([]byte(`{"message":"Cannot update container c: cannot update a stopped container: unknown."}`))
				return
			}
			_, _ = w.Write([]byte(`{"Warnings":[]}`))
		},
		"POST /v1.41/containers/gone/update": notFound,
	})
	e, err := Connect(t.Context(), ConnectOptions{Environ: append(environ, "HOME="+t.TempDir())})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	if err := e.SetRestart(t.Context(), "c", "no"); err != nil || calls != 4 {
		t.Errorf("%d calls, %v", calls, err)
	}
	if err := e.SetRestart(t.Context(), "gone", "no"); !isNotFound(err) {
		t.Errorf("got %v", err)
	}
}
