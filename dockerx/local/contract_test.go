package local_test

import (
	"testing"

	"belay/dockerx/compose"
	"belay/dockerx/contract"
	"belay/dockerx/local"
)

func TestContract(t *testing.T) {
	e := open(t, options(t.TempDir(), image("1.2.3", true), image("1.2.4", true), image("1.3.0", false)))
	at := project(t, "")
	p := at("1.2.3")
	must(t, e.Up(within(t), p, compose.UpSpec{}, nil))
	contract.Run(t, contract.Subject{
		Engine: e, Compose: e, Project: p, Next: at("1.2.4"), Service: "app", Volume: "pool_data", Mount: "/data",
		Logged: "is ready", SQLite: []string{"tidepool.db"}, Pull: repo + ":1.3.0",
		Exec: contract.Command{
			Argv:   []string{"tidepool", "count", "settings", "nothing"},
			Stdout: "settings 2\n", Stderr: "no table nothing\n", Exit: 3,
		},
		Run: contract.Command{
			Argv:   []string{"tidepool", "count", "settings", "nothing"},
			Stdout: "settings 2\n", Stderr: "no table nothing\n", Exit: 3,
		},
	})
}

var (
	_ contract.Engine = (*local.Engine)(nil)
	_ contract.Driver = (*local.Engine)(nil)
)
