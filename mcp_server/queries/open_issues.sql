-- Ongoing issues, the gravest and the most important customers first.
SELECT
  i.severity, i.alert_name, i.category, i.cluster_id, i.cluster_name, i.account_name, COALESCE(p.tier, 'B') AS tier,
  i.first_seen, i.last_seen, i.alert_count, i.triage_status, i.disposition_status, i.assignee, i.notes, i.issue_id
FROM alerts.issues AS i
LEFT JOIN byoc.clusters AS c ON c.biz_id = i.cluster_id
LEFT JOIN metrics.dim_customer_profile AS p ON p.account_id = c.account_id
WHERE i.status = 'Ongoing' AND (%(severity)s IS NULL OR LOWER(i.severity) = LOWER(%(severity)s))
ORDER BY
  CASE i.severity WHEN 'Critical' THEN 1 WHEN 'Warning' THEN 2 ELSE 3 END,
  CASE p.tier WHEN 'S' THEN 1 WHEN 'A' THEN 2 ELSE 3 END,
  i.last_seen DESC, i.issue_id
LIMIT %(limit)s
