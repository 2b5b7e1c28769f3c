package dockerx

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// Usage reads once what the container has used since its start.
func (e *Engine) Usage(ctx context.Context, id string) (Usage, error) {
	answer, err := e.api.ContainerStatsOneShot(ctx, id)
	if err != nil {
		return Usage{}, wrap(err, "usage of container %s", id)
	}
	defer func() { _ = answer.Body.Close() }()
	var stats container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return Usage{}, wrap(err, "usage of container %s", id)
	}
	out := Usage{At: stats.Read, CPU: time.Duration(stats.CPUStats.CPUUsage.TotalUsage)}
	for _, entry := range stats.BlkioStats.IoServiceBytesRecursive {
		// cgroup v1 writes Read, Write, Sync, Async, Total; v2 read and write.
		if op := strings.ToLower(entry.Op); op == "read" || op == "write" {
			out.BlockBytes += int64(entry.Value)
		}
	}
	return out, nil
}
