-- Log lines of one cluster that contain a text and are at least as grave as a level, newest first.
WITH ranked AS (
  SELECT
    log_time, node, level, message,
    CASE
      WHEN UPPER(level) IN ('FATAL', 'ERROR') THEN 3
      WHEN UPPER(level) IN ('WARN', 'WARNING') THEN 2
      WHEN UPPER(level) = 'INFO' THEN 1
      ELSE 0
    END AS gravity
  FROM byoc.cluster_log
  WHERE cluster_id = %(cluster)s AND log_time >= %(since)s AND log_time <= %(until)s
    AND (%(pattern)s = '' OR LOCATE(LOWER(%(pattern)s), LOWER(message)) > 0)
)
SELECT log_time, node, level, message
FROM ranked
WHERE gravity >= %(gravity)s
ORDER BY log_time DESC, node
LIMIT %(limit)s
