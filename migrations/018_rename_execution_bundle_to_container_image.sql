-- +goose Up
-- A bundle is a container image, pinned by its digest: "sha256:" and 64 digits.
ALTER TABLE remediation_workflow_catalog RENAME COLUMN execution_bundle TO container_image;
ALTER TABLE remediation_workflow_catalog ADD COLUMN container_digest VARCHAR(71);

CREATE INDEX idx_workflow_catalog_container_image ON remediation_workflow_catalog (container_image)
    WHERE container_image IS NOT NULL;

-- +goose Down
DROP INDEX idx_workflow_catalog_container_image;
ALTER TABLE remediation_workflow_catalog DROP COLUMN container_digest;
ALTER TABLE remediation_workflow_catalog RENAME COLUMN container_image TO execution_bundle;
