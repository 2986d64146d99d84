-- What was found before: past investigations, and the flags of past patrols.
SELECT
  created_at, 'investigation' AS source, cluster_id, cluster_name, severity, root_cause AS finding,
  recommended_actions AS actions,
  investigation_id AS id
FROM alerts.agent_investigations
WHERE %(cluster)s IS NULL OR cluster_id = %(cluster)s
UNION ALL
SELECT
  r.created_at, CONCAT('patrol ', r.report_type) AS source, GET_JSON_STRING(f.flag, '$.cluster_id') AS cluster_id,
  GET_JSON_STRING(f.flag, '$.cluster_name') AS cluster_name, GET_JSON_STRING(f.flag, '$.severity') AS severity,
  GET_JSON_STRING(f.flag, '$.reason') AS finding, NULL AS actions, r.report_id AS id
FROM alerts.patrol_reports AS r, UNNEST(CAST(r.clusters_flagged AS ARRAY<JSON>)) AS f(flag)
WHERE %(cluster)s IS NULL OR GET_JSON_STRING(f.flag, '$.cluster_id') = %(cluster)s
ORDER BY created_at DESC, id
LIMIT %(limit)s
