BEGIN;
INSERT INTO accounts (name, opened)
SELECT 'account ' || n, timestamptz '2024-01-01 00:00Z' + n * interval '1 hour' FROM generate_series(1, 500) n;
INSERT INTO entries (account_id, amount, category, memo, booked)
SELECT 1 + n %% 500, (n %% 9973) / 100.0, (ARRAY['rent','food','travel','Gehälter','税'])[1 + n %% 5],
       CASE WHEN n %% 7 = 0 THEN NULL ELSE 'memo ' || md5(n::text) END, timestamptz '2024-01-01 00:00Z' + n * interval '5 minutes'
FROM generate_series(1, %d) n;
COMMIT;
