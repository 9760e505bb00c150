"""The allow-list of functions: those that read their arguments and nothing else."""

from text2sql.messages import Dialect

ALLOWED_FUNCTIONS = frozenset(
    # sqlglot's class of each function that it knows
    # aggregates and windows
    "Count CountIf Sum Avg Min Max GroupConcat Stddev StddevPop StddevSamp Variance VariancePop "
    "BitwiseAndAgg BitwiseOrAgg BitwiseXorAgg RowNumber Rank DenseRank PercentRank CumeDist Ntile "
    "FirstValue LastValue "
    "NthValue Lag Lead Grouping JSONArrayAgg JSONObjectAgg "
    # conditions and conversion
    "Coalesce Nullif If Case Cast TryCast Convert Greatest Least Elt Field "
    # text
    "Concat ConcatWs Length Lower Upper Trim Substring SubstringIndex Left Right Replace Reverse Initcap "
    "StrPosition Pad Ascii Unicode Chr Space Stuff RegexpLike RegexpReplace RegexpInstr RegexpExtract "
    "FindInSet Hex Unhex MD5 SHA SHA2 Soundex Quote CharLength Ord NumberToStr "
    # numbers
    "Abs Sign Round Ceil Floor Trunc Pow Sqrt Exp Ln Log Mod Pi Sin Cos Tan Cot Asin Acos Atan Atan2 Degrees "
    "Radians "
    # dates and times
    "CurrentDate CurrentTime CurrentTimestamp Localtime Localtimestamp Date Time Timestamp DateAdd DateSub "
    "DateDiff TsOrDsToDate TsOrDsToTimestamp TsOrDsAdd TsOrDsDiff TimestampAdd TimestampSub TimestampDiff "
    "TimestampTrunc DateTrunc Extract Year Month Day Week DayOfMonth DayOfWeek DayOfYear WeekOfYear "
    "Dayname Monthname Quarter Hour Minute Second LastDay StrToDate StrToTime TimeToStr StrftimeToStr "
    "DateStrToDate TimeStrToTime UnixToTime UnixToStr TimeToUnix StrToUnix TimeSub TimeAdd TimeDiff MakeDate "
    "DatetimeAdd DatetimeSub DatetimeDiff Datetime JulianDay "
    # JSON
    "JSONExtract JSONExtractScalar JSONValue JSONArrayContains JSONObject JSONArray JSONType".split()
)

ALLOWED_CALLS = frozenset(
    # the names that sqlglot passes through as they are
    "IFNULL NULLIF TOTAL IIF INSTR PRINTF FORMAT SUBSTR CHAR_LENGTH CHARACTER_LENGTH LENGTH LOCATE POSITION "
    "TRUNCATE FIELD STRCMP ROUND UNIX_TIMESTAMP FROM_UNIXTIME FROM_DAYS TO_DAYS TO_SECONDS WEEKDAY YEARWEEK "
    "PERIOD_ADD PERIOD_DIFF ADDTIME SUBTIME TIMEDIFF MAKEDATE MAKETIME SEC_TO_TIME TIME_TO_SEC TIME_FORMAT "
    "DATE_FORMAT DAYNAME MONTHNAME MICROSECOND JULIANDAY STRFTIME UNIXEPOCH DATETIME DATE TIME LTRIM RTRIM "
    "LPAD RPAD INITCAP CONCAT CONCAT_WS MEDIAN ANY_VALUE CRC32 CEILING POWER LOG2 LOG10 LOG EXP SQRT "
    "JSON_CONTAINS JSON_UNQUOTE JSON_QUOTE JSON_VALID JSON_LENGTH JSON_KEYS JSON_ARRAY JSON_OBJECT "
    "JSON_EXTRACT JSON_TYPE JSON_ARRAY_LENGTH STDDEV STDDEV_POP STDDEV_SAMP STD VARIANCE VAR_POP VAR_SAMP "
    "GROUP_CONCAT BIT_COUNT TYPEOF UNICODE CHAR QUOTE HEX NOW SYSDATE CURDATE CURTIME SIGN MOD".split()
)
"""Left out on purpose: functions that wait (SLEEP, BENCHMARK), lock (GET_LOCK), read files (LOAD_FILE),
read the server or the session (VERSION, USER, DATABASE, @@…), make noise (RAND, UUID), build large values
(REPEAT, ZEROBLOB, RANDOMBLOB) or put values into error messages (EXTRACTVALUE, UPDATEXML)."""

_SQLITE_DATE = "SQLite has no such function. Use strftime, for example"
INSTEAD: dict[Dialect, dict[str, str]] = {
    "sqlite": {
        "YEAR": f"{_SQLITE_DATE} CAST(strftime('%Y', column) AS INTEGER).",
        "MONTH": f"{_SQLITE_DATE} CAST(strftime('%m', column) AS INTEGER), or strftime('%Y-%m', column).",
        "DAY": f"{_SQLITE_DATE} CAST(strftime('%d', column) AS INTEGER).",
        "QUARTER": f"{_SQLITE_DATE} (CAST(strftime('%m', column) AS INTEGER) + 2) / 3.",
        "WEEK": f"{_SQLITE_DATE} strftime('%W', column).",
        "EXTRACT": f"{_SQLITE_DATE} strftime('%Y', column).",
        "DATE_FORMAT": f"{_SQLITE_DATE} strftime('%Y-%m', column).",
        "DATE_TRUNC": f"{_SQLITE_DATE} strftime('%Y-%m', column).",
        "NOW": "SQLite has no NOW(). Use date('now').",
        "CURDATE": "SQLite has no CURDATE(). Use date('now').",
        "DATE_SUB": "SQLite has no DATE_SUB(). Use date(column, '-1 year') or a date in quotes.",
        "DATE_ADD": "SQLite has no DATE_ADD(). Use date(column, '+1 year') or a date in quotes.",
        "LEFT": "SQLite has no LEFT(). Use substr(column, 1, n).",
        "RIGHT": "SQLite has no RIGHT(). Use substr(column, -n).",
    },
    "mysql": {
        "STRFTIME": "MySQL has no strftime(). Use YEAR(column) or DATE_FORMAT(column, '%Y-%m').",
        "JULIANDAY": "MySQL has no julianday(). Use DATEDIFF(a, b).",
    },
}
"""Functions of another product that models like to write, and what to write instead."""
