-- Log lines of one cluster that contain a text, newest first.
SELECT log_time, node, level, message
FROM byoc.cluster_log
WHERE cluster_id = %(cluster)s AND log_time >= HOURS_SUB(NOW(), %(hours)s)
  AND (%(pattern)s = '' OR LOCATE(LOWER(%(pattern)s), LOWER(message)) > 0)
ORDER BY log_time DESC, node
LIMIT %(limit)s
