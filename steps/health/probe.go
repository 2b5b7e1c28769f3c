package health

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"belay/steps"
)

// probeTime bounds one question: an app that needs longer to say how it is, is not well.
const probeTime = 10 * time.Second

// probe asks one question and judges the answer: the status, the JSON fields,
// the version. 429 means alive and asked too often; "starting" means wait.
func (g *Gate) probe(ctx context.Context, p steps.Probe) []steps.Signal {
	signal := func(v steps.Verdict, format string, args ...any) []steps.Signal {
		return []steps.Signal{{Name: "http", Subject: p.Service, Verdict: v, Evidence: fmt.Sprintf("GET %s: ", p.URL) + fmt.Sprintf(format, args...)}}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
	if err != nil {
		return signal(steps.Fail, "is no address: %v", err)
	}
	req.Header.Set("Cache-Control", "no-cache") // a cached page has passed checks of others
	began := g.Now()
	resp, err := g.HTTP.Do(req)
	if err != nil {
		return signal(steps.Wait, "no answer yet")
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return signal(steps.Wait, "the answer broke off")
	}
	doc := decode(body)
	status := strings.ToLower(field(doc, "status"))
	want := p.Status
	if want == 0 {
		want = http.StatusOK
	}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		return signal(steps.Wait, "alive, asks belay to ask less often")
	case status == "starting" || status == "booting":
		return signal(steps.Wait, "%d, it says %s", resp.StatusCode, status)
	case resp.StatusCode != want:
		return signal(steps.Fail, "answers %d%s", resp.StatusCode, said(status))
	}
	for path, wanted := range p.JSON {
		if got := field(doc, path); got != wanted {
			return signal(steps.Fail, "%d, but %s is %q, not %q", resp.StatusCode, path, clip(got), wanted)
		}
	}
	out := signal(steps.Pass, "%d%s in %d ms", resp.StatusCode, said(status), g.Now().Sub(began).Milliseconds())
	if status == "degraded" {
		out[0].Verdict = steps.Warned
	}
	if p.Version != "" {
		out = append(out, g.reported(p, field(doc, p.Version)))
	}
	return out
}

// reported compares the version the app says it is with the planned one.
func (g *Gate) reported(p steps.Probe, got string) steps.Signal {
	s := steps.Signal{Name: "version", Subject: p.Service, Verdict: steps.Pass, Evidence: "the app says it is " + clip(got)}
	if g.Version != "" && strings.TrimPrefix(got, "v") != strings.TrimPrefix(g.Version, "v") {
		s.Verdict = steps.Fail
		s.Evidence += ", not " + g.Version
	}
	return s
}

func said(status string) string {
	if status == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", clip(status))
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}

func decode(body []byte) any {
	var doc any
	if json.Unmarshal(body, &doc) != nil {
		return nil
	}
	return doc
}

// field reads a dotted path out of a JSON document; "" when it is not there.
func field(doc any, path string) string {
	for _, key := range strings.Split(path, ".") {
		m, ok := doc.(map[string]any)
		if !ok {
			return ""
		}
		doc = m[key]
	}
	switch v := doc.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}
