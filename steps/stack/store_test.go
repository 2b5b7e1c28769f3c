package stack

import (
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"belay/dockerx"
	"belay/dockerx/compose"
	"belay/steps/recipe"
)

func TestStoresAndWhatIsLeft(t *testing.T) {
	ro := func(v compose.Volume) compose.Volume { v.ReadOnly = true; return v }
	tests := []struct {
		name    string
		mount   compose.Volume
		why     string // "" is a store
		warning bool
	}{
		{"volume", volume("app_data", "/data"), "", false},
		{"directory", bind("/srv/app/data", "/data"), "", false},
		{"directory beside the files", bind("/home/me/app/data", "/data"), "", false},
		{"read-only volume", ro(volume("app_media", "/media")), whyReadOnly, false},
		{"read-only directory", ro(bind("/tank/media", "/media")), whyReadOnly, false},
		{"docker socket", bind("/var/run/docker.sock", "/var/run/docker.sock"), whySocket, false},
		{"devices", bind("/dev/dri", "/dev/dri"), whySystem, false},
		{"dbus", bind("/run/dbus", "/run/dbus"), whySystem, false},
		{"clock", ro(bind("/etc/localtime", "/etc/localtime")), WhyConfig, false},
		{"the host", bind("/", "/host"), whyBroad, true},
		{"the host to read", ro(bind("/", "/host")), whyBroad, false},
		{"all homes", bind("/home", "/home"), whyBroad, true},
		{"one home", bind("/home/me/", "/home/me"), whyBroad, true},
		{"configuration", bind("/srv/app/nginx.conf", "/etc/nginx/nginx.conf"), WhyConfig, false},
		{"a file that the host knows", bind("/srv/app/odd", "/etc/odd"), WhyConfig, false},
		{"a directory named like a file", bind("/srv/app/conf.yml", "/conf"), "", false},
		{"a database as one file", bind("/srv/app/app.db", "/app/app.db"), whyOneFile, true},
		{"memory", compose.Volume{Type: "tmpfs", Target: "/tmp"}, whyMemory, false},
		{"network volume", volume("app_nas", "/nas"), whyNetwork, true},
		{"volume of a network driver", volume("app_sshfs", "/far"), whyNetwork, true},
		{"network directory", bind("/tank/nas/photos", "/photos"), whyNetwork, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, e := fixture(svc{Service: compose.Service{Name: "shop", Image: "acme/shop:1.2.3", Volumes: []compose.Volume{tt.mount}}})
			e.volumes = []dockerx.Volume{
				{Name: "app_data", Driver: "local", Size: 4096},
				{Name: "app_nas", Driver: "local", Options: map[string]string{"type": "nfs4"}, Size: -1},
				{Name: "app_sshfs", Driver: "vieux/sshfs:latest", Size: -1},
			}
			host := fstest.MapFS{"srv/app/odd": {}, "srv/app/conf.yml/x": {}}
			d.Stat = func(p string) (fs.FileInfo, error) { return fs.Stat(host, strings.Trim(p, "/")) }
			d.FSType = mountTable("24 1 0:22 / / rw - ext4 /dev/sda1 rw\n30 24 0:40 / /tank/nas rw shared:1 - nfs4 nas:/x rw\n")
			s := inspect(t, d)
			if tt.why == "" {
				if len(s.Stores) != 1 || len(s.Left) != 0 || s.Stores[0].Target != tt.mount.Target {
					t.Fatalf("got stores %+v, left %+v", s.Stores, s.Left)
				}
				want := int64(-1)
				if tt.mount.Source == "app_data" {
					want = 4096
				}
				if s.Stores[0].Bytes != want {
					t.Errorf("size: got %d, want %d", s.Stores[0].Bytes, want)
				}
				return
			}
			if len(s.Stores) != 0 || len(s.Left) != 1 || s.Left[0].Why != tt.why {
				t.Fatalf("got stores %+v, left %+v; want left: %s", s.Stores, s.Left, tt.why)
			}
			if warned := len(s.Warnings) > 0; warned != tt.warning {
				t.Errorf("warnings: %q", s.Warnings)
			}
		})
	}
}

func TestStoresAreSharedAndWritersFound(t *testing.T) {
	d, _ := fixture(
		svc{Service: compose.Service{Name: "web", Image: "acme/shop:1.2.3", Volumes: []compose.Volume{
			{Type: "volume", Source: "app_data", Target: "/reads", ReadOnly: true}, bind("/srv/app/files/", "/files"),
		}, Ports: published(80, "8080"), DependsOn: []string{"worker"}}},
		svc{Service: compose.Service{Name: "worker", Image: "acme/shop:1.2.3", Volumes: []compose.Volume{
			volume("app_data", "/data"), bind("/srv/app/files", "/files"),
		}}},
		svc{Service: compose.Service{Name: "browser", Image: "other/filebrowser:2", Volumes: []compose.Volume{bind("/srv/app", "/srv")}}},
		svc{Service: compose.Service{Name: "backup", Image: "offen/docker-volume-backup:v2", Volumes: []compose.Volume{
			{Type: "volume", Source: "app_data", Target: "/backup", ReadOnly: true},
		}}},
	)
	s := inspect(t, d)
	if got, want := storesOf(s), []string{"bind /srv/app/files", "volume app_data"}; !reflect.DeepEqual(got, want) {
		t.Errorf("stores: got %q, want %q", got, want)
	}
	if got := s.Stores[0].Services; !reflect.DeepEqual(got, []string{"web", "worker"}) {
		t.Errorf("services of the shared directory: %q", got)
	}
	if len(s.Left) != 0 {
		t.Errorf("what a member writes is not left out because another only reads it: %+v", s.Left)
	}
	if !reflect.DeepEqual(s.Writers, []string{"browser"}) {
		t.Errorf("writers: got %q, want browser: it writes to the directory around a store", s.Writers)
	}
	if got, want := StopOrder(s, recipe.Recipe{}), []string{"browser", "web", "worker"}; !reflect.DeepEqual(got, want) {
		t.Errorf("stop order: got %q, want %q", got, want)
	}
}
