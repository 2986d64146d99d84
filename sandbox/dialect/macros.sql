-- StarRocks functions in terms of DuckDB's. Each is tested by tests/sandbox/dialect/test_functions.py.
-- moments
CREATE MACRO sr_now() AS date_trunc('second', CAST(now() AS TIMESTAMP));
CREATE MACRO utc_timestamp() AS sr_now();
CREATE MACRO sr_moment(a) AS TRY_CAST(a AS TIMESTAMP);
CREATE MACRO years_add(a, n) AS sr_moment(a) + to_years(CAST(n AS INTEGER));
CREATE MACRO years_sub(a, n) AS sr_moment(a) - to_years(CAST(n AS INTEGER));
CREATE MACRO months_add(a, n) AS sr_moment(a) + to_months(CAST(n AS INTEGER));
CREATE MACRO months_sub(a, n) AS sr_moment(a) - to_months(CAST(n AS INTEGER));
CREATE MACRO weeks_add(a, n) AS sr_moment(a) + to_weeks(CAST(n AS INTEGER));
CREATE MACRO weeks_sub(a, n) AS sr_moment(a) - to_weeks(CAST(n AS INTEGER));
CREATE MACRO days_add(a, n) AS sr_moment(a) + to_days(CAST(n AS INTEGER));
CREATE MACRO days_sub(a, n) AS sr_moment(a) - to_days(CAST(n AS INTEGER));
CREATE MACRO hours_add(a, n) AS sr_moment(a) + to_hours(CAST(n AS INTEGER));
CREATE MACRO hours_sub(a, n) AS sr_moment(a) - to_hours(CAST(n AS INTEGER));
CREATE MACRO minutes_add(a, n) AS sr_moment(a) + to_minutes(CAST(n AS INTEGER));
CREATE MACRO minutes_sub(a, n) AS sr_moment(a) - to_minutes(CAST(n AS INTEGER));
CREATE MACRO seconds_add(a, n) AS sr_moment(a) + to_seconds(CAST(n AS INTEGER));
CREATE MACRO seconds_sub(a, n) AS sr_moment(a) - to_seconds(CAST(n AS INTEGER));
CREATE MACRO years_diff(a, b) AS date_sub('year', sr_moment(b), sr_moment(a));
CREATE MACRO months_diff(a, b) AS date_sub('month', sr_moment(b), sr_moment(a));
CREATE MACRO weeks_diff(a, b) AS date_sub('week', sr_moment(b), sr_moment(a));
CREATE MACRO days_diff(a, b) AS date_sub('day', sr_moment(b), sr_moment(a));
CREATE MACRO hours_diff(a, b) AS date_sub('hour', sr_moment(b), sr_moment(a));
CREATE MACRO minutes_diff(a, b) AS date_sub('minute', sr_moment(b), sr_moment(a));
CREATE MACRO seconds_diff(a, b) AS date_sub('second', sr_moment(b), sr_moment(a));
CREATE MACRO milliseconds_diff(a, b) AS date_sub('millisecond', sr_moment(b), sr_moment(a));
CREATE MACRO to_date(a) AS CAST(sr_moment(a) AS DATE);
CREATE MACRO unix_timestamp() AS CAST(epoch(sr_now()) AS BIGINT), (a) AS CAST(epoch(sr_moment(a)) AS BIGINT);
CREATE MACRO sr_from_unixtime(a) AS strftime(make_timestamp(CAST(a AS BIGINT) * 1000000), '%Y-%m-%d %H:%M:%S'),
  (a, f) AS strftime(make_timestamp(CAST(a AS BIGINT) * 1000000), f);
-- aggregates and sketches; the sketches are exact sets here
CREATE MACRO percentile_approx(a, q) AS approx_quantile(CAST(a AS DOUBLE), q);
CREATE MACRO ndv(a) AS approx_count_distinct(a);
CREATE MACRO multi_distinct_count(a) AS count(DISTINCT a);
CREATE MACRO to_bitmap(a) AS CASE WHEN a IS NOT NULL THEN [CAST(a AS UBIGINT)] END;
CREATE MACRO bitmap_hash(a) AS CASE WHEN a IS NOT NULL THEN [hash(a)] END;
CREATE MACRO bitmap_union(a) AS list_distinct(flatten(list(a)));
CREATE MACRO bitmap_count(a) AS len(a);
CREATE MACRO bitmap_union_count(a) AS len(list_distinct(flatten(list(a))));
CREATE MACRO hll_hash(a) AS CASE WHEN a IS NOT NULL THEN [hash(a)] END;
CREATE MACRO hll_union_agg(a) AS len(list_distinct(flatten(list(a))));
-- JSON
CREATE MACRO get_json_int(j, p) AS TRY_CAST(TRY(json_extract_string(j, p)) AS BIGINT);
CREATE MACRO get_json_double(j, p) AS TRY_CAST(TRY(json_extract_string(j, p)) AS DOUBLE);
CREATE MACRO get_json_bool(j, p) AS TRY_CAST(TRY(json_extract_string(j, p)) AS BOOLEAN);
CREATE MACRO get_json_string(j, p) AS TRY(json_extract_string(j, p));
CREATE MACRO json_query(j, p) AS TRY(json_extract(j, p));
CREATE MACRO sr_json_length(j) AS
  CASE json_type(j) WHEN 'OBJECT' THEN len(json_keys(j)) WHEN 'ARRAY' THEN json_array_length(j) ELSE 1 END;
CREATE MACRO json_length(j) AS sr_json_length(TRY_CAST(j AS JSON)), (j, p) AS sr_json_length(json_query(j, p));
CREATE MACRO json_string(j) AS CAST(j AS VARCHAR);
-- texts
CREATE MACRO substring_index(s, d, n) AS
  CASE WHEN n > 0 THEN array_to_string(string_split(s, d)[1:n], d)
    WHEN n < 0 THEN array_to_string(string_split(s, d)[n:], d) END;
CREATE MACRO sr_split_part(s, d, n) AS
  CASE WHEN n <> 0 AND abs(n) <= len(string_split(s, d)) THEN split_part(s, d, n) END;
CREATE MACRO sr_substring(s, p) AS CASE WHEN p = 0 THEN left(s, 0) ELSE substring(s, p) END,
  (s, p, n) AS CASE WHEN p = 0 THEN left(s, 0) ELSE substring(s, p, n) END;
CREATE MACRO sr_unhex(s) AS
  CASE WHEN regexp_full_match(s, '([0-9a-fA-F]{2})*') THEN TRY(decode(unhex(s))) ELSE left(s, 0) END;
CREATE MACRO money_format(x) AS format('{:,.2f}', CAST(x AS DOUBLE));
CREATE MACRO null_or_empty(s) AS s IS NULL OR s = '';
CREATE MACRO strleft(s, n) AS left(s, CASE WHEN n < 0 THEN 0 ELSE n END);
CREATE MACRO strright(s, n) AS right(s, CASE WHEN n < 0 THEN 0 ELSE n END);
CREATE MACRO strcmp(a, b) AS CASE WHEN a = b THEN 0 WHEN a < b THEN -1 WHEN a > b THEN 1 END;
CREATE MACRO find_in_set(s, l) AS
  CASE WHEN s IS NOT NULL AND l IS NOT NULL THEN coalesce(list_position(string_split(l, ','), s), 0) END;
-- numbers and conditions
CREATE MACRO sr_whole(a) AS CASE WHEN typeof(a) IN ('DOUBLE', 'FLOAT') OR typeof(a) LIKE 'DECIMAL%'
  THEN TRY_CAST(trunc(TRY_CAST(a AS DOUBLE)) AS HUGEINT) ELSE TRY_CAST(a AS HUGEINT) END;
CREATE MACRO isnotnull(a) AS a IS NOT NULL;
CREATE MACRO fmod(a, b) AS CAST(a AS DOUBLE) % CAST(b AS DOUBLE);
CREATE MACRO pmod(a, b) AS ((a % b) + b) % b;
CREATE MACRO positive(a) AS a;
CREATE MACRO negative(a) AS -a;
CREATE MACRO square(a) AS a * a;
CREATE MACRO e() AS exp(1.0);
CREATE MACRO bitand(a, b) AS a & b;
CREATE MACRO bitor(a, b) AS a | b;
CREATE MACRO bitxor(a, b) AS xor(a, b);
-- arrays
CREATE MACRO array_avg(l) AS list_avg(l);
CREATE MACRO array_generate(a) AS range(1, a + 1), (a, b) AS generate_series(a, b), (a, b, s) AS generate_series(a, b, s);
CREATE MACRO sr_array_contains(l, x) AS
  CASE WHEN x IS NULL THEN list_contains(list_transform(l, lambda v: v IS NULL), true) ELSE list_contains(l, x) END;
CREATE MACRO sr_array_position(l, x) AS CASE WHEN l IS NOT NULL THEN
  coalesce(list_position(list_transform(l, lambda v: v IS NOT DISTINCT FROM x), true), 0) END;
CREATE MACRO sr_array_remove(l, x) AS list_filter(l, lambda v: v IS DISTINCT FROM x);
CREATE MACRO sr_array_sort(l) AS list_sort(l, 'ASC', 'NULLS FIRST');
CREATE MACRO arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO sr_array_slice(l, o, n) AS list_slice(l, o, o + n - 1);
CREATE MACRO sr_any_match(l) AS list_bool_or(l);
CREATE MACRO sr_all_match(l) AS list_bool_and(l);
CREATE MACRO element_at(l, i) AS l[i];
CREATE MACRO map_from_arrays(k, v) AS map(k, v);
