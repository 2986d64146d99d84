"""Every setting of the process: read once from the environment and an optional `.env`, then frozen."""

import difflib
import ipaddress
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from dotenv.parser import parse_stream
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails

from bot.errors import SettingsError

PREFIX = "STARWATCH_"
METRICS = "127.0.0.1:9464"
"""Where the metrics are served unless somebody says otherwise."""


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _https_or_loopback(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return url
    if parts.scheme == "http" and parts.hostname and _loopback(parts.hostname):
        return url
    raise ValueError("must be an https:// address (http:// only on loopback)")


def _lark_domain(name: str) -> str:
    return name if name in {"lark", "feishu"} else _https_or_loopback(name)


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("is no time zone; use a name such as UTC or Europe/Berlin") from None
    return name


def _place(text: str) -> str:
    if text in {"", "off"}:
        return ""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ValueError("is no place to listen; write a port, host:port, or off")
    return f"{host or '127.0.0.1'}:{port}"


def _roles(text: str) -> str:
    unknown = {name.strip() for name in text.split(",")} - {"member", "guest", "stranger"}
    if unknown:
        raise ValueError(f"knows no role {', '.join(sorted(unknown))!r}; use member, guest and stranger")
    return text


BaseUrl = Annotated[str, AfterValidator(_https_or_loopback)]
LarkDomain = Annotated[str, AfterValidator(_lark_domain)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Roles = Annotated[str, AfterValidator(_roles)]
Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time of day, HH:MM."""


Place = Annotated[str, AfterValidator(_place)]
"""`host:port` to listen on, empty for nowhere."""


class Settings(BaseModel):
    """One field, one environment variable. Nothing is required: without a warehouse the embedded one is started,
    without a key the rules-only analyst answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    starrocks_host: str | None = Field(None, description="StarRocks FE host; none = start the embedded stand-in")
    starrocks_port: int = Field(9030, ge=1, le=65535, description="MySQL port of the FE")
    starrocks_user: str | None = Field(None, description="read-only account (SELECT on metrics, byoc, alerts)")
    starrocks_password: SecretStr = Field(SecretStr(""), description="its password")
    writer_user: str | None = Field(None, description="account that may INSERT reports; none = reports are not stored")
    writer_password: SecretStr = Field(SecretStr(""), description="its password")
    admin_user: str | None = Field(None, description="account that may create tables; used by init-db and doctor alone")
    admin_password: SecretStr = Field(SecretStr(""), description="its password")
    query_seconds: float = Field(30, gt=0, le=600, description="time limit of one statement, seconds")
    query_rows: int = Field(500, ge=1, le=10_000, description="rows a statement may return to a chat")
    calls_per_minute: int = Field(60, ge=1, le=10_000, description="reads of the warehouse by one person in a minute")
    scopes: Path | None = Field(
        None, description="YAML file: which channels and users see which accounts and tables; none = all see all"
    )
    live_endpoints: Path | None = Field(
        None, description="YAML file: the clusters' own front ends, for live state; none = the warehouse's view"
    )
    audit_file: Path | None = Field(
        None, description="record of every read of the warehouse; none = audit.jsonl in ~/.local/state"
    )

    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="Claude API key; none = the rules-only analyst"
    )
    anthropic_base_url: BaseUrl | None = Field(
        None, validation_alias="ANTHROPIC_BASE_URL", description="any Messages-API address; none = Anthropic's own"
    )
    analyst: Literal["auto", "rules"] = Field("auto", description="rules = never call a model")
    model: str = Field("claude-sonnet-5-5", min_length=1, description="model id for chat and patrols")
    effort: Literal["low", "medium", "high", "xhigh", "max"] = Field("medium", description="how hard the model thinks")
    max_output_tokens: int = Field(16_000, ge=256, le=128_000, description="tokens of one model reply")
    max_tool_rounds: int = Field(15, ge=1, le=50, description="model calls in one chat turn")
    rules: Literal["own", "reference"] = Field("own", description="reference = patrols judge as the reference platform")
    max_patrol_rounds: int = Field(10, ge=2, le=50, description="model calls in one patrol")
    cheaper_model: str | None = Field(
        None, min_length=1, description="model id that is used near a limit of the day; none = the rules-only analyst"
    )
    prices: Path | None = Field(
        None, description="YAML file: dollars per million tokens of each model; none = those of bot/prices.yaml"
    )
    turn_seconds: float = Field(300, gt=0, le=3600, description="time limit of one turn, seconds")
    turns_at_once: int = Field(64, ge=1, le=1000, description="turns at once in one process; others wait their turn")

    slack_bot_token: SecretStr | None = Field(None, validation_alias="SLACK_BOT_TOKEN", description="xoxb-… bot token")
    slack_app_token: SecretStr | None = Field(
        None, validation_alias="SLACK_APP_TOKEN", description="xapp-… token: Socket Mode, no public address needed"
    )
    slack_signing_secret: SecretStr | None = Field(
        None, validation_alias="SLACK_SIGNING_SECRET", description="signing secret: events over HTTP instead"
    )
    slack_api_url: BaseUrl = Field(
        "https://slack.com/api/", validation_alias="SLACK_API_URL", description="Web API address"
    )
    lark_app_id: str | None = Field(
        None, pattern=r"^cli_\w+$", validation_alias="LARK_APP_ID", description="cli_… id of the app on Lark or Feishu"
    )
    lark_app_secret: SecretStr | None = Field(None, validation_alias="LARK_APP_SECRET", description="its secret")
    lark_encrypt_key: SecretStr | None = Field(
        None, validation_alias="LARK_ENCRYPT_KEY", description="encrypt key: events over HTTP; none = long connection"
    )
    lark_verification_token: SecretStr | None = Field(
        None, validation_alias="LARK_VERIFICATION_TOKEN", description="verification token, beside the encrypt key"
    )
    lark_domain: LarkDomain = Field(
        "lark", validation_alias="LARK_DOMAIN", description="lark, feishu, or the address of the open platform"
    )
    lark_http_port: int = Field(
        3001, ge=0, le=65535, validation_alias="LARK_HTTP_PORT", description="port of the HTTP endpoint for Lark"
    )
    http_host: str = Field("127.0.0.1", description="address the HTTP endpoint listens on")
    http_port: int = Field(3000, ge=0, le=65535, description="port of the HTTP endpoint")
    link_hosts: str = Field("", description="comma-separated hosts that answers may link to")

    teams: str = Field("", description="comma-separated workspace ids that may ask; none = the app's own")
    channels: str = Field("", description="comma-separated channel ids to answer in; none = all that the bot is in")
    users: str = Field("", description="comma-separated user ids that may ask; none = every member")
    roles: Roles = Field(
        "member", description="comma-separated roles that may ask: member, guest, stranger (of a shared channel)"
    )
    user_turns_per_minute: int = Field(10, ge=0, description="turns of one person in a minute; 0 = no limit")
    channel_turns_per_minute: int = Field(30, ge=0, description="turns of one channel in a minute; 0 = no limit")
    user_turns_per_day: int = Field(200, ge=0, description="turns of one person in a day; 0 = no limit")
    channel_turns_per_day: int = Field(1000, ge=0, description="turns of one channel in a day; 0 = no limit")
    workspace_turns_per_day: int = Field(5000, ge=0, description="turns of the workspace in a day; 0 = no limit")
    user_tokens_per_day: int = Field(0, ge=0, description="model tokens of one person in a day; 0 = no limit")
    channel_tokens_per_day: int = Field(0, ge=0, description="model tokens of one channel in a day; 0 = no limit")
    workspace_tokens_per_day: int = Field(0, ge=0, description="model tokens of the workspace in a day; 0 = no limit")
    user_dollars_per_day: float = Field(0, ge=0, description="model cost of one person in a day; 0 = no limit")
    channel_dollars_per_day: float = Field(0, ge=0, description="model cost of one channel in a day; 0 = no limit")
    workspace_dollars_per_day: float = Field(0, ge=0, description="model cost of the workspace in a day; 0 = no limit")
    thrifty_percent: int = Field(
        80, ge=1, le=100, description="share of a limit of tokens or dollars from which on the cheaper model answers"
    )

    patrol_channel: str | None = Field(None, description="channel id for scheduled patrols; none = no schedule")
    patrol_morning: Clock = Field("08:00", description="time of the morning patrol")
    patrol_evening: Clock = Field("18:00", description="time of the evening patrol")
    timezone: TimeZone = Field("UTC", description="time zone of the two patrol times")
    sentinel: bool = Field(True, description="look at the fleet every quarter of an hour, without a model")
    sentinel_investigations: int = Field(3, ge=0, description="investigations that the sentinel opens in a day at most")

    mcp_token: SecretStr | None = Field(
        None, description="bearer token of clients of `starwatch mcp --http`; required beyond loopback"
    )
    mcp_tokens: SecretStr | None = Field(
        None, description="further tokens, each of a client of its own: name:token, separated by commas"
    )
    mcp_servers: Path | None = Field(None, description="YAML file that names foreign MCP servers; see docs/mcp.md")

    approvers: str = Field(
        "", description="comma-separated user ids that may approve what changes something; none = nobody"
    )
    approval_minutes: int = Field(30, ge=1, le=1440, description="minutes in which an approval can be given")

    database_url: str | None = Field(
        None, description="SQLAlchemy async address of Starwatch's own database; none = SQLite in ~/.local/state"
    )
    keep_sessions_days: int = Field(90, ge=1, description="days that a thread's history outlives its last use")
    keep_reports_days: int = Field(365, ge=1, description="days that a posted report is kept for its buttons")
    keep_events_days: int = Field(2, ge=2, description="days that what happens once is remembered")
    keep_answers_days: int = Field(180, ge=1, description="days that an answer is kept for its buttons")
    keep_turns_days: int = Field(14, ge=2, description="days that ended turns and their messages are kept")
    keep_blobs_days: int = Field(21, ge=3, description="days that large results are kept; longer than turns")
    keep_usage_days: int = Field(400, ge=2, description="days that what each spent is kept")
    executor_id: str = Field(
        "starwatch-0", min_length=1, max_length=64, description="name of this replica: its own, and kept on restart"
    )
    metrics: Place = Field(METRICS, description="[host:]port of /metrics for Prometheus; off = nowhere")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level that is logged")

    @model_validator(mode="after")
    def _whole(self) -> "Settings":
        if self.starrocks_host and not self.starrocks_user:
            raise ValueError(
                "STARWATCH_STARROCKS_USER: is missing; name the read-only account for STARWATCH_STARROCKS_HOST"
            )
        if self.keep_blobs_days <= self.keep_turns_days:
            raise ValueError(
                "STARWATCH_KEEP_BLOBS_DAYS: must be more than STARWATCH_KEEP_TURNS_DAYS, or a turn that goes on after "
                "a crash would find its results gone"
            )
        return self

    @property
    def uses_claude(self) -> bool:
        """Whether a model may be called at all."""
        return self.analyst == "auto" and self.anthropic_api_key is not None


def environment_names() -> dict[str, str]:
    """Field name → environment variable, in the order of the settings table."""
    return {name: str(field.validation_alias or PREFIX + name.upper()) for name, field in Settings.model_fields.items()}


def _assignments(path: Path) -> Iterator[tuple[str, str | None]]:
    with path.open(encoding="utf-8") as stream:
        for binding in parse_stream(stream):
            if binding.error:
                line = binding.original.line
                raise SettingsError(f"{path}, line {line}: not a KEY=value line; correct it or put # in front")
            if binding.key is not None:
                yield binding.key, binding.value


def _from_file(path: Path) -> dict[str, str]:
    """The file's assignments to known settings. Keys of other programs may stand beside ours; a misspelt one of ours
    may not."""
    try:
        pairs = dict(_assignments(path))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read as a settings file ({type(error).__name__})") from None
    return {key: value for key, value in pairs.items() if value is not None}


def _refuse_misspelt(given: Mapping[str, str], where: str) -> None:
    known = set(environment_names().values()) | {f"{PREFIX}ENV_FILE"}
    for key in given:
        if key.startswith(PREFIX) and key not in known:
            names = {name.removeprefix(PREFIX): name for name in known}
            near = difflib.get_close_matches(key.removeprefix(PREFIX), names, n=1)
            hint = f"did you mean {names[near[0]]}?" if near else "see .env.example for the names"
            raise SettingsError(f"{key}: no such setting ({where}); {hint}")


def _line(error: ErrorDetails) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    name = str(error["loc"][0])
    key = environment_names().get(name, name)
    description = next((f.description for n, f in Settings.model_fields.items() if environment_names()[n] == key), "")
    return f"{key}: {message} ({description})"


def load(environ: Mapping[str, str], directory: Path) -> Settings:
    """Settings from `environ` over the file it names in STARWATCH_ENV_FILE, or `.env` in `directory` if there is one.

    Raises SettingsError with one line: the key, what is wrong and what it is for.
    """
    named = environ.get(f"{PREFIX}ENV_FILE")
    path = Path(named) if named else directory / ".env"
    filed = _from_file(path) if named or path.exists() else {}
    _refuse_misspelt(filed, f"in {path}")
    _refuse_misspelt(environ, "in the environment")
    names = environment_names()
    merged: dict[str, Any] = {}
    for name, key in names.items():
        value = environ.get(key) or filed.get(key)
        if value:
            merged[name] = value
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(_line(error.errors(include_url=False, include_input=False)[0])) from None
