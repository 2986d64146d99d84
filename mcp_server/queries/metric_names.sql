-- All names of metrics.
SELECT metric_name FROM metrics.metrics_dict_v2 ORDER BY metric_name
