-- All names of metrics with unit and kind.
SELECT metric_name, unit, metric_type FROM metrics.metrics_dict_v2 ORDER BY metric_name
