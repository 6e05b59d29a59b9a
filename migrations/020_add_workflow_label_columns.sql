-- +goose Up
-- Labels that people give, and labels that were detected, apart from the required ones.
ALTER TABLE remediation_workflow_catalog
    ADD COLUMN custom_labels   JSONB NOT NULL DEFAULT '{}',
    ADD COLUMN detected_labels JSONB NOT NULL DEFAULT '{}';

CREATE INDEX idx_workflow_catalog_custom_labels ON remediation_workflow_catalog USING gin (custom_labels);
CREATE INDEX idx_workflow_catalog_detected_labels ON remediation_workflow_catalog USING gin (detected_labels);

-- +goose Down
-- The indexes go with their columns.
ALTER TABLE remediation_workflow_catalog
    DROP COLUMN custom_labels,
    DROP COLUMN detected_labels;
