package rig

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pretend makes a stack whose belay is a shell script and which has no engine.
func pretend(t *testing.T, script string) *Stack {
	t.Helper()
	file := filepath.Join(t.TempDir(), "belay")
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	forge := NewForge()
	t.Cleanup(forge.Close)
	return &Stack{
		World: &World{Forge: forge, belay: func() (string, error) { return file, nil }},
		Dir:   t.TempDir(), Secret: "hush-hush", state: t.TempDir(), cache: t.TempDir(),
	}
}

func TestBelayIsJudgedByItsLastLineAndItsCode(t *testing.T) {
	s := pretend(t, `echo '{"kind":"start","step":"pull","run":"R"}'
echo '{"kind":"outcome","outcome":"rolled_back","from":"1","to":"2","exit":3}'
exit 3`)
	r := s.Belay(t, "upgrade", "DIR")
	if o := r.Outcome(t); o.Outcome != "rolled_back" || o.From != "1" || r.Exit != 3 {
		t.Fatalf("%+v, exit %d", o, r.Exit)
	}
}

func TestBelayGetsItsOwnEnvironment(t *testing.T) {
	t.Setenv("GITHUB_TOKEN", "of the developer")
	s := pretend(t, `echo "$1 $GITHUB_API_URL $XDG_STATE_HOME [$GITHUB_TOKEN]"`)
	want := s.Dir + " " + s.World.Forge.URL + " " + s.state + " []\n"
	if got := s.Belay(t, "DIR").Stdout; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestBelayCanBeKilledAtAMoment(t *testing.T) {
	s := pretend(t, `echo '{"kind":"start","step":"pull"}'
echo '{"kind":"start","step":"backup"}'
exec sleep 1000`)
	p := s.StartBelay(t)
	if !p.Until(func(e Event) bool { return e.Step == "backup" }) {
		t.Fatal("the moment never came")
	}
	p.Kill(t)
	if r := p.Wait(t); r.Exit != -1 {
		t.Fatalf("exit %d", r.Exit)
	}
}

func TestTheMomentMayNeverCome(t *testing.T) {
	p := pretend(t, `echo '{"kind":"start","step":"pull"}'`).StartBelay(t)
	if p.Until(func(e Event) bool { return e.Step == "backup" }) {
		t.Fatal("saw what was not there")
	}
	p.Wait(t)
}

func TestTerminalShowsWhatAPersonSees(t *testing.T) {
	s := pretend(t, `printf '\033[?1049h\033[2J\033[5;10H\033[1;31mhello\033[0m ✓ 税 \033[1;1Htop'
stty raw -echo; k=$(dd bs=3 count=1 2>/dev/null | od -An -tx1); stty sane
printf '\033[?1049lkey%s\n' "$k"; exit 7`)
	term := s.Open(t)
	term.See(t, 5*time.Second, "hello ✓ 税")
	if text := term.Text(); !strings.HasPrefix(text, "top\n") {
		t.Errorf("not at the top:\n%s", text)
	}
	was := term.Text()
	term.Press(t, "\x1b[B")
	term.Change(t, 5*time.Second, was)
	if code := term.Exit(t, 5*time.Second); code != 7 {
		t.Errorf("exit %d", code)
	}
	if text := term.Text(); !strings.Contains(text, "key 1b 5b 42") || strings.Contains(text, "hello") {
		t.Errorf("the normal screen at the end:\n%s", text)
	}
}

func TestDiffNamesEveryKindOfDifference(t *testing.T) {
	a := State{Rows: map[string]string{"same": "1", "other": "1", "gone": "1"}}
	b := State{Rows: map[string]string{"same": "1", "other": "2", "new": "1"}}
	d := strings.Join(Diff(a, b, "rows"), "\n")
	for _, want := range []string{"gone is gone", "new is new", "other\n  was 1\n  is  2"} {
		if !strings.Contains(d, want) {
			t.Errorf("no %q in\n%s", want, d)
		}
	}
	if d := Diff(a, a); len(d) != 0 {
		t.Error(d)
	}
	if len(Diff(a, b, "rwos")) == 0 {
		t.Error("a misspelt part compares as equal")
	}
}

func TestForgePagesAndKnowsWhatWasRead(t *testing.T) {
	f := NewForge()
	defer f.Close()
	get := func(path, tag string) *http.Response {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", tag)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	first := get("repos/"+Source+"/releases?per_page=4", "")
	if first.StatusCode != http.StatusOK || !strings.Contains(first.Header.Get("Link"), `page=2>; rel="next"`) {
		t.Errorf("%s %v", first.Status, first.Header)
	}
	if again := get("repos/"+Source+"/releases?per_page=4", first.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Error(again.Status)
	}
	if last := get("repos/"+Source+"/releases?per_page=4&page=3", ""); last.Header.Get("Link") != "" {
		t.Error("the last page has a next one")
	}
	if none := get("repos/some/body/releases", ""); none.StatusCode != http.StatusNotFound {
		t.Error(none.Status)
	}
}
