"""StarRocks functions the parser has no class for, allowed by name.

Not listed, and so refused: whatever waits (sleep), raises, reaches outside (http_request, ai_query, files,
dict_mapping), shows other people's work (get_query_profile, inspect_*, user, host_name) or blows up memory (repeat,
space, array_repeat, generate_series).
"""

_AGGREGATES = """
    array_agg_distinct array_unique_agg bitmap_agg bitmap_union bitmap_union_count bitmap_union_int
    hll_cardinality hll_hash hll_raw_agg hll_union hll_union_agg intersect_count mann_whitney_u_test
    multi_distinct_count multi_distinct_sum ndv percentile_approx percentile_approx_weighted
    percentile_approx_raw percentile_hash percentile_union max_by min_by retention sequence_count sum_map
    to_bitmap variance_samp var_samp std stddev_pop stddev_samp window_funnel histogram approx_top_k
    percentile_empty
"""

_TIME = """
    add_months curtime date_slice days_add days_diff days_sub from_days from_unixtime_ms hour_from_unixtime
    hours_add hours_diff hours_sub iso_week jodatime_format makedate microsecond microseconds_add
    microseconds_sub milliseconds_add milliseconds_diff milliseconds_sub minutes_add minutes_diff minutes_sub
    months_add months_diff months_sub now quarters_add quarters_sub sec_to_time seconds_add seconds_diff
    seconds_sub str2date str_to_jodatime time_format time_to_sec to_date to_datetime to_iso8601 to_tera_date
    to_tera_timestamp unix_timestamp week_iso weekday weeks_add weeks_diff weeks_sub years_add years_diff
    years_sub yearweek timediff monthname dayname
"""

_TEXT = """
    append_trailing_char_if_absent bin char character_length concat_ws field find_in_set group_concat
    hex_decode_string lcase ltrim money_format ngram_search ngram_search_case_insensitive null_or_empty position
    rtrim strcmp strleft strpos strright substring_index tokenize translate trim ucase url_decode url_encode
    url_extract_host url_extract_parameter parse_url regexp_split regexp_position crc32 sm3 soundex lpad rpad
    unhex
"""

_JSON = """
    arrays_to_map get_json_bool get_json_double get_json_int get_json_object get_json_string json_array
    json_contains json_each json_exists json_keys json_length json_object json_query json_remove json_string
    json_pretty json_value named_struct row struct to_json map_apply map_concat map_entries map_filter
    map_values distinct_map_keys transform_keys transform_values element_at
"""

_ARRAYS = """
    all_match any_match array_avg array_contains_seq array_cum_sum array_difference array_flatten array_join
    array_length array_map array_sortby array_stddev array_top_n array_to_bitmap arrays_overlap arrays_zip
    bitmap_and bitmap_andnot bitmap_contains bitmap_count bitmap_empty bitmap_from_string bitmap_has_any
    bitmap_hash bitmap_max bitmap_min bitmap_or bitmap_to_array bitmap_to_string bitmap_xor cardinality
    sub_bitmap
"""

_NUMBERS = """
    bit_shift_left bit_shift_right bitand bitnot bitor bitxor conv cosine_similarity divide dround fmod
    isnotnull isnull log2 murmur_hash3_32 xx_hash3_64 xx_hash3_128 multiply negative nvl pmod positive pow
    square subtract add truncate equiwidth_bucket sinh cosh tanh cot
"""

_WINDOW = "dense_rank ntile percent_rank rank row_number session_number cume_dist lead lag"

NAMES: frozenset[str] = frozenset((_AGGREGATES + _TIME + _TEXT + _JSON + _ARRAYS + _NUMBERS + f" {_WINDOW} ").split())
"""Lower-case names."""
