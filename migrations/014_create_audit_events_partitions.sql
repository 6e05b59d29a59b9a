-- +goose Up
-- Events of any month find a partition; those of last month and this one find
-- their own. An event may be seven days old, so last month is always needed.

-- +goose StatementBegin
CREATE FUNCTION create_audit_events_partitions(months_ahead integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    FOR ahead IN -1..months_ahead LOOP
        PERFORM create_month_partition('audit_events', (CURRENT_DATE + ahead * interval '1 month')::date);
    END LOOP;
END
$$;
-- +goose StatementEnd

CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT;
SELECT create_audit_events_partitions(0);

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    partition regclass;
BEGIN
    FOR partition IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'audit_events'::regclass LOOP
        -- The table's reference to itself makes every partition one that is referred to.
        EXECUTE format('ALTER TABLE audit_events DETACH PARTITION %s', partition);
        EXECUTE format('DROP TABLE %s', partition);
    END LOOP;
END
$$;
-- +goose StatementEnd
DROP FUNCTION create_audit_events_partitions(integer);
