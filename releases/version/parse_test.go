package version_test

import (
	"slices"
	"testing"

	"belay/releases/version"
)

func TestParseTakesRealTagsApart(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw, prefix string
		numbers     []uint64
		pre, suffix string
		plain       string
		calver      bool
	}{
		{"1.2.3", "", []uint64{1, 2, 3}, "", "", "1.2.3", false},
		{"v1.2.3", "v", []uint64{1, 2, 3}, "", "", "1.2.3", false},
		{"V2.0", "V", []uint64{2, 0}, "", "", "2.0", false},
		{"v2", "v", []uint64{2}, "", "", "2", false},
		{"33", "", []uint64{33}, "", "", "33", false},
		{"v.2.11.0", "v.", []uint64{2, 11, 0}, "", "", "2.11.0", false},
		{"r3", "r", []uint64{3}, "", "", "3", false},
		{"1.2.3-slim", "", []uint64{1, 2, 3}, "", "slim", "1.2.3", false},
		{"v1.2.4-slim", "v", []uint64{1, 2, 4}, "", "slim", "1.2.4", false},
		{"1.0.0-beta.51", "", []uint64{1, 0, 0}, "beta.51", "", "1.0.0-beta.51", false},
		{"v1.0.0-beta.9", "v", []uint64{1, 0, 0}, "beta.9", "", "1.0.0-beta.9", false},
		{"v1.157.0rc1", "v", []uint64{1, 157, 0}, "rc1", "", "1.157.0rc1", false},
		{"1.2.0b1", "", []uint64{1, 2, 0}, "b1", "", "1.2.0b1", false},
		{"1.2.0a2", "", []uint64{1, 2, 0}, "a2", "", "1.2.0a2", false},
		{"3.0.0.rc1", "", []uint64{3, 0, 0}, "rc1", "", "3.0.0.rc1", false},
		{"1.0.0.dev5", "", []uint64{1, 0, 0}, "dev5", "", "1.0.0.dev5", false},
		{"v12.0-rc", "v", []uint64{12, 0}, "rc", "", "12.0-rc", false},
		{"v12.0.0-rc2", "v", []uint64{12, 0, 0}, "rc2", "", "12.0.0-rc2", false},
		{"8.4.0RC1-fpm-alpine", "", []uint64{8, 4, 0}, "RC1", "fpm-alpine", "8.4.0RC1", false},
		{"29.0.0-rc1-fpm", "", []uint64{29, 0, 0}, "rc1", "fpm", "29.0.0-rc1", false},
		{"21-ea-3", "", []uint64{21}, "ea-3", "", "21-ea-3", false},
		{"1.27.0-nightly.20240101123456", "", []uint64{1, 27, 0}, "nightly.20240101123456", "", "1.27.0-nightly.20240101123456", false},
		{"2.0.0-SNAPSHOT", "", []uint64{2, 0, 0}, "SNAPSHOT", "", "2.0.0-SNAPSHOT", false},
		{"16.8-alpine", "", []uint64{16, 8}, "", "alpine", "16.8", false},
		{"16.4-alpine3.20", "", []uint64{16, 4}, "", "alpine3.20", "16.4", false},
		{"17-alpine", "", []uint64{17}, "", "alpine", "17", false},
		{"7.4-alpine", "", []uint64{7, 4}, "", "alpine", "7.4", false},
		{"16-bookworm", "", []uint64{16}, "", "bookworm", "16", false},
		{"29-fpm-alpine", "", []uint64{29}, "", "fpm-alpine", "29", false},
		{"34.0.2", "", []uint64{34, 0, 2}, "", "", "34.0.2", false},
		{"34.0.2.1", "", []uint64{34, 0, 2, 1}, "", "", "34.0.2.1", false},
		{"1.37.2-alpine", "", []uint64{1, 37, 2}, "", "alpine", "1.37.2", false},
		{"8.0.39-oraclelinux9", "", []uint64{8, 0, 39}, "", "oraclelinux9", "8.0.39", false},
		{"4.0.3-ls215", "", []uint64{4, 0, 3}, "", "", "4.0.3-ls215", false},
		{"v4.0.3.2-ls215", "v", []uint64{4, 0, 3, 2}, "", "", "4.0.3.2-ls215", false},
		{"version-4.0.3", "version-", []uint64{4, 0, 3}, "", "", "4.0.3", false},
		{"amd64-4.0.3-ls215", "amd64-", []uint64{4, 0, 3}, "", "", "4.0.3-ls215", false},
		{"1.40.0.7998-c29d4c0c8-ls215", "", []uint64{1, 40, 0, 7998}, "", "c29d4c0c8", "1.40.0.7998-ls215", false},
		{"17.0.0-debian-12-r3", "", []uint64{17, 0, 0}, "", "debian-12", "17.0.0-r3", false},
		{"1.9.2-0", "", []uint64{1, 9, 2}, "", "", "1.9.2-0", false},
		{"v1.9.2-0", "v", []uint64{1, 9, 2}, "", "", "1.9.2-0", false},
		{"9.4-0", "", []uint64{9, 4}, "", "", "9.4-0", false},
		{"1.2.3_4", "", []uint64{1, 2, 3}, "", "", "1.2.3_4", false},
		{"0.19.19-jemalloc", "", []uint64{0, 19, 19}, "", "jemalloc", "0.19.19", false},
		{"v0.107.52", "v", []uint64{0, 107, 52}, "", "", "0.107.52", false},
		{"v0.108.0-b.60", "v", []uint64{0, 108, 0}, "b.60", "", "0.108.0-b.60", false},
		{"14-vectorchord0.4.3-pgvectors0.2.0", "", []uint64{14}, "", "vectorchord0.4.3-pgvectors0.2.0", "14", false},
		{"v2.5.6-cuda", "v", []uint64{2, 5, 6}, "", "cuda", "2.5.6", false},
		{"11.0.3-rootless", "", []uint64{11, 0, 3}, "", "rootless", "11.0.3", false},
		{"16-3.4", "", []uint64{16}, "", "3.4", "16", false},
		{"2026-07a", "", []uint64{2026, 7}, "", "", "2026-07a", true},
		{"2026-07", "", []uint64{2026, 7}, "", "", "2026-07", true},
		{"2026-07-14", "", []uint64{2026, 7, 14}, "", "", "2026-07-14", true},
		{"RELEASE.2025-03-12T18-04-18Z", "RELEASE.", []uint64{2025, 3, 12, 18, 4, 18}, "", "", "2025-03-12T18-04-18Z", true},
		{"2025.2.4", "", []uint64{2025, 2, 4}, "", "", "2025.2.4", true},
		{"version/2025.2.4", "version/", []uint64{2025, 2, 4}, "", "", "2025.2.4", true},
		{"2026.8.1", "", []uint64{2026, 8, 1}, "", "", "2026.8.1", true},
		{"2024.07.0", "", []uint64{2024, 7, 0}, "", "", "2024.07.0", true},
		{"v2.20260804.1", "v", []uint64{2, 20260804, 1}, "", "", "2.20260804.1", false},
		{"25.11.0", "", []uint64{25, 11, 0}, "", "", "25.11.0", false},
		{"22.12.03", "", []uint64{22, 12, 3}, "", "", "22.12.03", false},
		{"20231120", "", []uint64{20231120}, "", "", "20231120", true},
		{"202401011230", "", []uint64{202401011230}, "", "", "202401011230", true},
		{"20240101123059", "", []uint64{20240101123059}, "", "", "20240101123059", true},
		{"bookworm-20240101", "bookworm-", []uint64{20240101}, "", "", "20240101", true},
		{"develop-20260701.1", "develop-", []uint64{20260701, 1}, "", "", "20260701.1", true},
		{"ngx-1.2.3", "ngx-", []uint64{1, 2, 3}, "", "", "1.2.3", false},
		{"k3s-1.2.3", "k3s-", []uint64{1, 2, 3}, "", "", "1.2.3", false},
		{"release-1.4.0", "release-", []uint64{1, 4, 0}, "", "", "1.4.0", false},
		{"release/1.4.0", "release/", []uint64{1, 4, 0}, "", "", "1.4.0", false},
		{"api/v3.5.0", "api/v", []uint64{3, 5, 0}, "", "", "3.5.0", false},
		{"jellyfin-web-v10.9.1", "jellyfin-web-v", []uint64{10, 9, 1}, "", "", "10.9.1", false},
		{"@outline/sdk@1.2.0", "@outline/sdk@", []uint64{1, 2, 0}, "", "", "1.2.0", false},
		{"cli/v2.0.0-rc.1", "cli/v", []uint64{2, 0, 0}, "rc.1", "", "2.0.0-rc.1", false},
		{"1.2.3+build.5", "", []uint64{1, 2, 3}, "", "+build.5", "1.2.3", false},
		{"2.0.0.Final", "", []uint64{2, 0, 0}, "", ".Final", "2.0.0", false},
		{"1.1.1w", "", []uint64{1, 1, 1}, "", "", "1.1.1w", false},
		{"2019-CU27-ubuntu-20.04", "", []uint64{2019}, "", "CU27-ubuntu-20.04", "2019", true},
		{"10.11.8-jammy", "", []uint64{10, 11, 8}, "", "jammy", "10.11.8", false},
		{"24.12", "", []uint64{24, 12}, "", "", "24.12", false},
		{"2.20", "", []uint64{2, 20}, "", "", "2.20", false},
		{"999999999.999999999.999999999", "", []uint64{999999999, 999999999, 999999999}, "", "", "999999999.999999999.999999999", false},
	} {
		got, ok := version.Parse(c.raw)
		if !ok {
			t.Errorf("%s: not a version", c.raw)
			continue
		}
		if got.Raw != c.raw || got.Prefix != c.prefix || !slices.Equal(got.Numbers, c.numbers) || got.Pre != c.pre || got.Suffix != c.suffix || got.Calver() != c.calver {
			t.Errorf("%s: prefix %q numbers %v pre %q suffix %q calver %v", c.raw, got.Prefix, got.Numbers, got.Pre, got.Suffix, got.Calver())
		}
		if got.Plain() != c.plain {
			t.Errorf("%s: plain %q, want %q", c.raw, got.Plain(), c.plain)
		}
	}
}

func TestParseRefusesWhatIsNoVersion(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "latest", "stable", "main", "master", "edge", "nightly", "release", "lts", "slim", "alpine", "production",
		"latest-alpine", "alpine3.20", "vue3", "sha-1234567", "sha-abc1234", "commit-1234567", "pr-45", "pr-45-amd64",
		"3f8a9c1", "0123456789abcdef0123456789abcdef01234567", "1e10f3a", "v3f8a9c1d",
		"sha256-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.sig",
		"sha256-0123456789abcdef.att", "1.2.3.sig", "1.2.3.sbom",
		"8u412-jdk", "2.x", "1.2.x", "1.2.3alpine", "1.2.3.4.5.6.7",
		"18446744073709551616.1.2", "1.99999999999999999999", "1234567890", "999912310000",
		"1.2.3 ", "1.2.3\x1b[2J", "1.2.3\u200b", "v", "v.", "-", "--", "1.2.3:4", "..", "v-1.2.3\n",
	} {
		if got, ok := version.Parse(raw); ok {
			t.Errorf("%q is taken for a version: %+v", raw, got)
		}
	}
	if _, ok := version.Parse(string(make([]byte, 300))); ok {
		t.Error("300 zero bytes are taken for a version")
	}
}

func TestPrerelease(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]bool{
		"1.2.3": false, "1.2.3-rc.1": true, "1.2.3-alpine": false, "1.2.3-a1": true, "develop-20260701.1": true,
		"next-auth-1.2.3": false, "nightly-20240101": true, "1.2.3-beta-alpine": true, "r3": false,
	} {
		if got := must(t, raw).Prerelease(); got != want {
			t.Errorf("%s: prerelease %v", raw, got)
		}
	}
}

func TestFinal(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{"v1.3.0-rc.1": "1.3.0", "4.0.3-ls215": "4.0.3", "1.2.3-slim": "1.2.3"} {
		if got := must(t, raw).Final().Plain(); got != want {
			t.Errorf("%s: final %q, want %q", raw, got, want)
		}
	}
}

func must(t interface {
	Helper()
	Fatalf(string, ...any)
}, raw string,
) version.Tag {
	t.Helper()
	tag, ok := version.Parse(raw)
	if !ok {
		t.Fatalf("%q is not a version", raw)
	}
	return tag
}
