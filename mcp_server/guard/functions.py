"""StarRocks functions the parser has no class for, allowed by name; the others are allowed by class in nodes.py.

Not listed, and so refused: whatever waits (sleep), raises, reaches outside (http_request, ai_query, files,
dict_mapping), shows other people's work (get_query_profile, inspect_*, user, host_name) or blows up memory (repeat,
space, array_repeat, generate_series).
"""

_AGGREGATES = """
    approx_count_distinct_hll_sketch array_agg_distinct array_agg_if avg_if bitmap_agg bitmap_and_agg
    bitmap_union bitmap_union_count bitmap_union_int ds_hll_accumulate ds_hll_combine ds_hll_count_distinct
    ds_hll_estimate histogram hll_cardinality hll_deserialize hll_empty hll_hash hll_raw_agg hll_serialize
    hll_union hll_union_agg intersect_count mann_whitney_u_test max_if max_n min_if min_n multi_distinct_count
    multi_distinct_sum ndv percentile_approx percentile_approx_raw percentile_approx_weighted percentile_disc_lc
    percentile_empty percentile_hash percentile_union retention sequence_count sum_if sum_map to_bitmap
    window_funnel
"""

_TIME = """
    date_slice day_name days_add days_diff days_sub from_days from_unixtime_ms hour_from_unixtime hours_add
    hours_diff hours_sub iso_week jodatime_format makedate microsecond microseconds_add microseconds_sub
    milliseconds_add milliseconds_diff milliseconds_sub minutes_add minutes_diff minutes_sub months_add
    months_diff months_sub now quarters_add quarters_sub sec_to_time seconds_add seconds_diff seconds_sub
    str2date str_to_jodatime time_format time_to_sec timediff to_date to_datetime to_datetime_ntz to_iso8601
    to_tera_date to_tera_timestamp unix_timestamp week_iso weekday weeks_add weeks_diff weeks_sub years_add
    years_diff years_sub yearweek
"""

_TEXT = """
    append_trailing_char_if_absent bin crc32 encode_fingerprint_sha256 field find_in_set format_bytes
    from_binary hex_decode_binary inet_aton inet_ntoa md5sum md5sum_numeric money_format ngram_search
    ngram_search_case_insensitive null_or_empty octet_length position regexp_position sm3 strcmp strleft
    strright tokenize url_decode url_encode url_extract_host url_extract_parameter uuid_numeric
"""

_JSON = """
    arrays_to_map distinct_map_keys element_at get_json_bool get_json_double get_json_int get_json_object
    get_json_string is_json_scalar json_array json_contains json_each json_exists json_length json_object json_pretty
    json_query json_string json_value map_apply map_concat map_entries map_filter map_from_arrays map_values
    named_struct row to_json transform_keys transform_values
"""

_ARRAYS = """
    all_match any_match array_avg array_contains_seq array_cum_sum array_difference array_map array_sort_lambda
    array_sortby array_stddev array_to_bitmap array_top_n arrays_overlap base64_to_bitmap bitmap_and
    bitmap_andnot bitmap_contains bitmap_empty bitmap_from_binary bitmap_from_string bitmap_has_any bitmap_hash
    bitmap_hash64 bitmap_max bitmap_min bitmap_or bitmap_remove bitmap_subset_in_range bitmap_subset_limit
    bitmap_to_array bitmap_to_base64 bitmap_to_binary bitmap_to_string bitmap_xor cardinality sub_bitmap
"""

_NUMBERS = """
    add approx_cosine_similarity approx_l2_distance bit_shift_left bit_shift_right bit_shift_right_logical
    bitand bitnot bitor bitxor conv cosine_similarity cosine_similarity_norm divide dround e equiwidth_bucket
    fmod isnotnull l2_distance multiply murmur_hash3_32 pmod positive square subtract xx_hash32 xx_hash3_128
    xx_hash3_64 xx_hash64
"""

_PLACES = """
    st_astext st_aswkt st_circle st_contains st_distance_sphere st_geometryfromtext st_geomfromtext st_linefromtext
    st_linestringfromtext st_polygon st_x st_y
"""

NAMES: frozenset[str] = frozenset((_AGGREGATES + _TIME + _TEXT + _JSON + _ARRAYS + _NUMBERS + _PLACES).split()) | {
    "session_number"
}
"""Lower-case names."""
