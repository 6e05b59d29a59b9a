-- +goose Up
-- What became of each notification; a notification has one row.
CREATE TABLE notification_audit (
    id               BIGSERIAL PRIMARY KEY,
    remediation_id   VARCHAR(255) NOT NULL,
    notification_id  VARCHAR(255) NOT NULL UNIQUE,
    recipient        VARCHAR(255) NOT NULL,
    channel          VARCHAR(50) NOT NULL CHECK (channel IN ('email', 'slack', 'pagerduty', 'sms')),
    message_summary  TEXT NOT NULL,
    status           VARCHAR(50) NOT NULL CHECK (status IN ('sent', 'failed', 'acknowledged', 'escalated')),
    sent_at          TIMESTAMPTZ NOT NULL,
    delivery_status  TEXT,
    error_message    TEXT,
    escalation_level INTEGER NOT NULL DEFAULT 0,
    created_at       TIMESTAMPTZ NOT NULL DEFAULT now(),
    updated_at       TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX idx_notification_audit_remediation_id ON notification_audit (remediation_id);
CREATE INDEX idx_notification_audit_channel ON notification_audit (channel);
CREATE INDEX idx_notification_audit_status ON notification_audit (status);
CREATE INDEX idx_notification_audit_created_at ON notification_audit (created_at DESC);

-- +goose Down
DROP TABLE notification_audit;
