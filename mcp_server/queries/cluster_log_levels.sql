-- How many log lines of one cluster contain a text, per level.
SELECT UPPER(level) AS level, COUNT(*) AS matching_lines
FROM byoc.cluster_log
WHERE cluster_id = %(cluster)s AND log_time >= %(since)s AND log_time <= %(until)s
  AND (%(pattern)s = '' OR LOCATE(LOWER(%(pattern)s), LOWER(message)) > 0)
GROUP BY UPPER(level)
ORDER BY level
