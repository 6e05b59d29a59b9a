-- Traces of every month find a partition. The table of 001 has none, so it is
-- empty or was given some by hand; either way what it holds stays.

-- Makes the partition of one month. False if it was there, or if rows of that
-- month already lie in the default partition, where they may as well stay.
CREATE FUNCTION create_month_partition(parent regclass, month date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', month);
    next  date := first + interval '1 month';
    name  text;
BEGIN
    SELECT relname || '_' || to_char(first, 'YYYY_MM') INTO name FROM pg_class WHERE oid = parent;
    IF to_regclass(quote_ident(name)) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- With its zone the bound is the same moment for every session; a date ignores the time.
    EXECUTE format('CREATE TABLE %I PARTITION OF %s FOR VALUES FROM (%L) TO (%L)',
                   name, parent, first || ' 00:00:00+00', next || ' 00:00:00+00');
    RETURN true;
EXCEPTION WHEN check_violation THEN
    RAISE NOTICE '% is not made: its rows are in the default partition', name;
    RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION create_monthly_partitions() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    FOR ahead IN -1..3 LOOP
        PERFORM create_month_partition('resource_action_traces', (CURRENT_DATE + ahead * interval '1 month')::date);
    END LOOP;
END
$$;

CREATE TABLE resource_action_traces_default PARTITION OF resource_action_traces DEFAULT;
SELECT create_monthly_partitions();

ALTER TABLE resource_action_traces
    ADD CONSTRAINT resource_action_traces_action_id_key UNIQUE (action_id, action_timestamp);
