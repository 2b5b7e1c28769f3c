package upgrade

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"belay/steps"
	"belay/steps/journal"
)

func encodePlan(p *steps.Plan) ([]byte, error) {
	b, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode plan: %w", err)
	}
	return append(b, '\n'), nil
}

// loadPlan reads the plan of an earlier run; one of a newer belay is refused by name.
func loadPlan(dir string) (*steps.Plan, error) {
	b, err := os.ReadFile(filepath.Join(dir, "plan.json"))
	if err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	var head struct {
		Format int    `json:"format"`
		Belay  string `json:"belay"`
	}
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "plan.json"), err)
	}
	if head.Format > steps.PlanVersion {
		return nil, &journal.NewerError{What: "the plan (by belay " + head.Belay + ")", Have: head.Format}
	}
	var p steps.Plan
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(dir, "plan.json"), err)
	}
	return &p, nil
}
