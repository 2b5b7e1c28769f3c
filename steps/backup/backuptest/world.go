package backuptest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps"
)

// The images of the world.
const (
	OldImage = "sha256:old"
	NewImage = "sha256:new"
	PGImage  = "sha256:pg"
)

// World is one installed project: an app with an SQLite file beside a PostgreSQL
// database, on version 1, with a plan that goes to version 2.
type World struct {
	Engine *Engine
	Plan   *steps.Plan
	Dir    string // the run's directory
	Env    string // the .env file that holds the tag
}

// NewWorld sets the project up in a directory of the test.
func NewWorld(t *testing.T) *World {
	t.Helper()
	root := t.TempDir()
	w := &World{Engine: New(), Dir: filepath.Join(root, "run"), Env: filepath.Join(root, "project", ".env")}
	for _, d := range []string{w.Dir, filepath.Dir(w.Env)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	oldEnv, newEnv := []byte("TAG=1\nPASSWORD=envsecret\n"), []byte("TAG=2\nPASSWORD=envsecret\n")
	if err := os.WriteFile(w.Env, oldEnv, 0o640); err != nil {
		t.Fatal(err)
	}
	pg, files := Volume("shop_pg"), Volume("shop_files")
	w.Engine.Stores[pg] = Files{DatabaseFile: `{"orders":100000,"users":7}`, "PG_VERSION": "15"}
	w.Engine.Stores[files] = Files{"a.txt": "hello", "app.sqlite": `{"settings":3}`}
	w.Engine.Tags["shop:1"], w.Engine.Tags["shop:2"], w.Engine.Tags["postgres:15"] = OldImage, NewImage, PGImage
	w.Engine.Boxes = []dockerx.Container{
		{
			ID: "app1", Name: "shop-app-1", Project: "shop", Service: "app", Image: "shop:1", ImageID: OldImage,
			State: dockerx.Exited, RestartPolicy: "always", Env: map[string]string{"TOKEN": "appsecret"},
			Labels: map[string]string{"com.docker.compose.service": "app", "traefik.auth": "labelsecret"},
			Mounts: []dockerx.Mount{{Data: files, Target: "/data"}},
		},
		{
			ID: "db1", Name: "shop-db-1", Project: "shop", Service: "db", Image: "postgres:15", ImageID: PGImage,
			State: dockerx.Running, RestartPolicy: "always", Env: map[string]string{"POSTGRES_PASSWORD": "dbsecret"},
			Mounts: []dockerx.Mount{{Data: pg, Target: "/var/lib/postgresql/data"}},
		},
	}
	w.Plan = &steps.Plan{
		Format: steps.PlanVersion, Run: "01JD0000000000000000000000", Project: "shop", Engine: "ENGINE", From: "1", To: "2",
		Group: []steps.Target{{Service: "app", OldRef: "shop:1", OldImage: OldImage, NewRef: "shop:2", Hold: "belay-hold/shop-app:1"}},
		Stop:  []string{"app", "db"},
		Databases: []steps.Database{
			{
				Kind: "postgres", Service: "db", Name: "shop", User: "shop", PassEnv: "POSTGRES_PASSWORD", Version: "15",
				Store: pg, Target: "/var/lib/postgresql/data", Dumpable: true,
			},
			{Kind: "sqlite", Service: "app", Store: files, Path: "app.sqlite", Target: "/data"},
		},
		Stores: []steps.Store{
			{Data: pg, Services: []string{"db"}, Target: "/var/lib/postgresql/data", Bytes: 30},
			{Data: files, Services: []string{"app"}, Target: "/data", Bytes: 20},
		},
		Edits:     []compose.Edit{{Path: w.Env, Line: 1, Before: "TAG=1", After: "TAG=2", Old: oldEnv, New: newEnv}},
		Config:    []string{w.Env},
		BackupDir: filepath.Join(w.Dir, "backup"),
	}
	return w
}

// State sets the state of a service's container.
func (w *World) State(service string, s dockerx.State) {
	w.Engine.With(func() {
		for i := range w.Engine.Boxes {
			if w.Engine.Boxes[i].Service == service {
				w.Engine.Boxes[i].State = s
			}
		}
	})
}

// Clock is a clock that goes a second on whenever it is asked.
func Clock() func() time.Time {
	at := time.Date(2026, 11, 20, 20, 30, 41, 0, time.UTC)
	ticks := make(chan time.Time, 1)
	ticks <- at
	return func() time.Time {
		now := (<-ticks).Add(time.Second)
		ticks <- now
		return now
	}
}

// AtOnce gives a timer that has fired already; one that only paces a display
// (a second and longer) never fires.
func AtOnce(d time.Duration) <-chan time.Time {
	if d >= time.Second {
		return nil
	}
	c := make(chan time.Time, 1)
	c <- time.Time{}
	return c
}
