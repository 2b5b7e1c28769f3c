package stack

import (
	"strings"
	"testing"
	"time"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

func TestProbesBecomeAddresses(t *testing.T) {
	port := func(ip, host string, container int) compose.Port {
		return compose.Port{HostIP: ip, Host: host, Container: container, Proto: "tcp"}
	}
	remote := dockerx.EngineInfo{Host: "ssh://me@nas.lan:22"}
	tests := []struct {
		name    string
		ports   []compose.Port
		health  recipe.Health
		engine  *dockerx.EngineInfo
		want    string
		warning string
	}{
		{name: "published", ports: []compose.Port{port("", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://127.0.0.1:8080/up"},
		{name: "published everywhere", ports: []compose.Port{port("0.0.0.0", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://127.0.0.1:8080/up"},
		{name: "on one address", ports: []compose.Port{port("192.168.1.5", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://192.168.1.5:8080/up"},
		{name: "on one IPv6 address", ports: []compose.Port{port("fd00::5", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://[fd00::5]:8080/up"},
		{name: "the port that is asked for", ports: []compose.Port{port("", "25", 25), port("", "8080", 80)}, health: recipe.Health{HTTP: "/up", Port: 80}, want: "http://127.0.0.1:8080/up"},
		{name: "UDP is no HTTP", ports: []compose.Port{{Host: "53", Container: 53, Proto: "udp"}, port("", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://127.0.0.1:8080/up"},
		{name: "https", ports: []compose.Port{port("", "443", 443)}, health: recipe.Health{HTTP: "/up"}, want: "https://127.0.0.1:443/up"},
		{name: "a whole address", health: recipe.Health{HTTP: "https://shop.example.com/up"}, want: "https://shop.example.com/up"},
		{name: "drawn by lot", ports: []compose.Port{port("", "", 80)}, health: recipe.Health{HTTP: "/up"}, want: "http://127.0.0.1:49153/up", warning: "chosen anew"},
		{name: "not published, engine here", health: recipe.Health{HTTP: "/up", Port: 80}, want: "http://172.18.0.9:80/up", warning: "chosen anew"},
		{name: "not published, port unknown", health: recipe.Health{HTTP: "/up"}, warning: "publishes no port"},
		{name: "not published, engine far", health: recipe.Health{HTTP: "/up", Port: 80}, engine: &remote, warning: "publishes no port"},
		{name: "published far away", ports: []compose.Port{port("", "8080", 80)}, health: recipe.Health{HTTP: "/up"}, engine: &remote, want: "http://nas.lan:8080/up"},
		{name: "another service", health: recipe.Health{Service: "gone", HTTP: "/up"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, e := fixture(svc{Service: compose.Service{Name: "shop", Image: "acme/shop:1.2.3", Ports: tt.ports}})
			d.Recipe.Health = []recipe.Health{tt.health}
			if tt.engine != nil {
				e.info = *tt.engine
			}
			s := inspect(t, d)
			got := ""
			if len(s.Probes) > 0 {
				got = s.Probes[0].URL
				if p := s.Probes[0]; p.Status != 200 || p.Every != 3*time.Second || p.Service != "shop" {
					t.Errorf("defaults: %+v", p)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if said := strings.Join(s.Warnings, "\n"); (said == "") != (tt.warning == "") || !strings.Contains(said, tt.warning) {
				t.Errorf("warnings: got %q, want %q", said, tt.warning)
			}
		})
	}
}
