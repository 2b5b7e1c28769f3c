package stack

import (
	"path"
	"slices"
	"strings"

	"belay/dockerx"
)

// WhyConfig is why a store is left out that is one file: the run captures it
// with the configuration instead.
const WhyConfig = "one file: captured as configuration"

// The other reasons to leave a mount out of a restore point.
const (
	whyMemory   = "it lives in memory"
	whySocket   = "a socket, not data"
	whySystem   = "a directory of the host's system"
	whyBroad    = "far more of the host than this app's data"
	whyReadOnly = "mounted read-only: this app cannot change it"
	whyNetwork  = "it is on another machine"
	whyOneFile  = "one file, which belay cannot put back by itself; mount its directory instead"
	whyUnnamed  = "no name to find it by"
	whyOther    = "neither a volume nor a directory"
)

// leave says why a mount is not copied, "" when it is.
func (f *facts) leave(m dockerx.Mount) string {
	switch m.Kind {
	case dockerx.TmpfsData:
		return whyMemory
	case dockerx.VolumeData:
		return f.leaveVolume(m)
	case dockerx.BindData:
		return f.leaveBind(m)
	}
	return whyOther
}

func (f *facts) leaveVolume(m dockerx.Mount) string {
	switch v := f.volumes[m.Name]; {
	case m.Name == "":
		return whyUnnamed
	case m.ReadOnly:
		return whyReadOnly
	case remote(v):
		return whyNetwork
	}
	return ""
}

func (f *facts) leaveBind(m dockerx.Mount) string {
	dir := path.Clean(m.Name)
	switch {
	case strings.HasSuffix(dir, ".sock"):
		return whySocket
	case within("/proc", dir) || within("/sys", dir) || within("/dev", dir) || within("/run", dir) || within("/var/run", dir):
		return whySystem
	case f.oneFile(m) && holdsData(dir) && !m.ReadOnly:
		return whyOneFile
	case f.oneFile(m):
		return WhyConfig
	case systemDir(dir):
		return whySystem
	case broad(dir):
		return whyBroad
	case m.ReadOnly:
		return whyReadOnly
	case f.info.Local && f.FSType != nil && networkFS(f.FSType(dir)):
		return whyNetwork
	}
	return ""
}

// loses says whether leaving something out for this reason can lose data.
func loses(why string) bool {
	switch why {
	case whyBroad, whyNetwork, whyOneFile, whyOther:
		return true
	}
	return false
}

func systemDir(dir string) bool {
	return slices.ContainsFunc([]string{"/boot", "/bin", "/sbin", "/lib", "/lib64", "/usr", "/etc", "/var/log", "/var/lib/docker"},
		func(system string) bool { return within(system, dir) })
}

// broad tells directories that hold many things from those that are one app's.
func broad(dir string) bool {
	switch dir {
	case "/", "/home", "/root", "/mnt", "/media", "/opt", "/srv", "/tmp", "/var", "/var/lib", "/var/tmp":
		return true
	}
	return path.Dir(dir) == "/home"
}

// oneFile says whether a bind mount is a single file. The host is asked when it
// is this one, else the name must do.
func (f *facts) oneFile(m dockerx.Mount) bool {
	if m.Kind != dockerx.BindData {
		return false
	}
	if f.info.Local && f.Stat != nil {
		if fi, err := f.Stat(m.Name); err == nil {
			return !fi.IsDir()
		}
	}
	switch strings.ToLower(path.Ext(m.Name)) {
	case ".conf", ".cfg", ".cnf", ".ini", ".yml", ".yaml", ".json", ".toml", ".xml", ".properties", ".env", ".txt",
		".sh", ".sql", ".pem", ".crt", ".cer", ".key", ".js", ".py", ".php", ".html", ".htpasswd", ".lua", ".template":
		return true
	case ".db", ".sqlite", ".sqlite3":
		return true
	}
	switch path.Base(m.Name) {
	case "Caddyfile", "localtime", "timezone", "hosts", "resolv.conf", "machine-id", "passwd", "group", ".env", ".htpasswd":
		return true
	}
	return false
}

// holdsData tells a database file from a configuration file.
func holdsData(file string) bool {
	switch strings.ToLower(path.Ext(file)) {
	case ".db", ".sqlite", ".sqlite3", ".kdbx", ".mdb":
		return true
	}
	return false
}

// remote says whether a volume's data is on another machine.
func remote(v dockerx.Volume) bool {
	if networkFS(strings.ToLower(v.Options["type"])) {
		return true
	}
	driver := strings.ToLower(v.Driver)
	return slices.ContainsFunc([]string{"nfs", "cifs", "smb", "sshfs", "rclone", "s3fs", "gluster", "ceph", "netshare"},
		func(name string) bool { return strings.Contains(driver, name) })
}

func networkFS(fstype string) bool {
	switch fstype {
	case "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "glusterfs", "9p", "afs", "davfs", "fuse.sshfs", "fuse.rclone",
		"fuse.s3fs", "fuse.glusterfs", "fuse.davfs2":
		return true
	}
	return false
}
