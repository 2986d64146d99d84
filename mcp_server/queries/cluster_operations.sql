-- What was done to one cluster, newest first.
SELECT created_at, type, state, detail, order_id
FROM byoc.billing_order
WHERE cluster_id = %(cluster)s AND created_at >= %(since)s AND created_at <= %(until)s
ORDER BY created_at DESC, order_id
