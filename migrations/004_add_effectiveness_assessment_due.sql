-- When an action's effect is to be judged; nothing is due once it was.

ALTER TABLE resource_action_traces ADD COLUMN effectiveness_assessment_due TIMESTAMPTZ;

CREATE INDEX idx_rat_effectiveness_assessment_due ON resource_action_traces (effectiveness_assessment_due)
    WHERE effectiveness_assessment_due IS NOT NULL AND effectiveness_score IS NULL;
