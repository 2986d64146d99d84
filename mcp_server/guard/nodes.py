"""The node classes a statement may consist of. What is not listed is refused, whatever it does."""

from sqlglot import exp

# Names, clauses and literals.
_CLAUSES = """
    Alias Aliases Boolean Case Column Cube CTE DataType DataTypeParam Distinct Escape Except Filter From Group
    GroupingSets Having Identifier IgnoreNulls Intersect Interval Join Kwarg Lambda Lateral Limit Literal Null
    Offset Order Ordered Paren Qualify RespectNulls Rollup Select Star Subquery Table TableAlias Tuple Union
    Unnest Values Var Where Window WindowSpec With JSONPath JSONPathKey JSONPathRoot JSONPathSubscript
    JSONPathWildcard
"""

_OPERATORS = """
    Add All And Any Between BitwiseAnd BitwiseNot BitwiseOr BitwiseXor Bracket Collate Div Dot EQ Exists GT GTE
    ILike In IntDiv Is Like LT LTE Match Mod Mul Neg NEQ Not NullSafeEQ NullSafeNEQ Or PropertyEQ RegexpLike Sub Xor
    DPipe
"""

# Functions that the parser knows by a class of their own; the others are judged by name in functions.py.
_FUNCTIONS = """
    Abs Acos AddMonths AnyValue ApproxDistinct ApproxQuantile ApproxTopK ArgMax ArgMin Array ArrayAgg ArrayAny
    ArrayAppend ArrayConcat ArrayContains ArrayContainsAll ArrayDistinct ArrayExcept ArrayFilter ArrayFirst
    ArrayIntersect ArrayLast ArrayMax ArrayMin ArrayOverlaps ArrayPosition ArrayPrepend ArrayRemove ArraySize
    ArraySlice ArraySort ArraySum ArraysZip ArrayToString ArrayUniqueAgg Ascii Asin Atan Atan2 Avg
    Base64DecodeBinary Base64DecodeString Base64Encode BitmapCount Cast Cbrt Ceil Chr Coalesce Concat ConcatWs
    ConvertTimezone Corr Cos Cosh Cot Count CountIf CovarPop CovarSamp CumeDist CurrentDate CurrentTime
    CurrentTimestamp DateAdd DateDiff DateSub DateTrunc Day Dayname DayOfMonth DayOfWeek DayOfWeekIso DayOfYear
    Degrees DenseRank Elt EndsWith Exp Extract FirstValue Flatten Floor Format FromBase64 Greatest GroupConcat
    Grouping GroupingId Hex HexDecodeString Hour If Initcap IsInf IsNan JSONArray JSONArrayContains JSONExists
    JSONExtract JSONExtractScalar JSONKeys JSONKeyValue JSONObject JSONRemove JSONSet JSONType JSONValue
    Kurtosis Lag LastDay LastValue Lead Least Left Length Levenshtein Ln Localtime Localtimestamp Log LogicalAnd
    LogicalOr Lower MakeInterval MapContainsKey MapFromEntries MapKeys MapSize Max MD5 Median Min Minute Month
    MonthsBetween Negative NextDay NthValue Ntile Nullif Nvl2 Pad ParseJSON ParseUrl PercentileCont
    PercentileDisc PercentRank Pi Pow PreviousDay Quarter Radians Rand Rank RegexpCount RegexpExtract
    RegexpExtractAll RegexpFullMatch RegexpReplace RegexpSplit Replace Reverse Right Round RowNumber Second SHA
    SHA2 Sign Sin Sinh Skewness Soundex Split SplitPart Sqrt StartsWith Stddev StddevPop StddevSamp StPoint
    StrPosition StrToDate StrToMap StrToTime StrToUnix Struct StructExtract Substring SubstringIndex Sum Tan
    Tanh TimeSlice Timestamp TimestampAdd TimestampDiff TimestampSub TimestampTrunc TimeToStr TimeToUnix
    ToBase64 ToBinary ToDays ToMap Transform Translate Trim Trunc TryCast TsOrDsAdd TsOrDsDiff TsOrDsToDate
    TsOrDsToDateStr TsOrDsToTime TsOrDsToTimestamp Unhex Unicode UnixSeconds UnixToStr UnixToTime Upper UtcDate
    UtcTime UtcTimestamp Uuid Variance VariancePop VarMap Week WeekOfYear WidthBucket Year YearOfWeek
"""

NODES: frozenset[type[exp.Expr]] = frozenset(
    getattr(exp, name) for name in (_CLAUSES + _OPERATORS + _FUNCTIONS).split()
)

ROOTS = (exp.Select, exp.SetOperation, exp.Subquery)
"""The statements that read: SELECT, set operations, and either of them in parentheses."""

NAMED_FUNCTIONS: frozenset[type[exp.Expr]] = frozenset({exp.Anonymous, exp.AnonymousAggFunc})
"""Functions without a class; their names are judged by functions.py."""

ADVICE: dict[type[exp.Expr], str] = {
    exp.Hint: "remove the hint: /*+ … */ could lift the time and memory limits",
    exp.Into: "remove INTO: results are only returned, never stored",
    exp.Lock: "remove FOR UPDATE / FOR SHARE",
    exp.Parameter: "write the value itself instead of a user variable",
    exp.SessionParameter: "write the value itself instead of a system variable",
    exp.Placeholder: "write the value itself instead of a placeholder",
    exp.TableSample: "filter by cluster or hour instead of sampling",
    exp.Pivot: "use SUM(CASE WHEN … THEN … END) instead of PIVOT",
    exp.Partition: "filter by the time column instead of naming a partition",
    exp.TableFromRows: "table functions are not available; read a table",
    exp.GenerateSeries: "table functions are not available; read a table",
}
