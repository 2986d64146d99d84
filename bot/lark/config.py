"""What Lark needs to be reached."""

from dataclasses import dataclass

from pydantic import SecretStr

DOMAINS = {"lark": "https://open.larksuite.com", "feishu": "https://open.feishu.cn"}
"""The two separate services: Lark for the world, Feishu for mainland China."""


@dataclass(frozen=True, slots=True)
class LarkConfig:
    """`encrypt_key` is needed for events over HTTP; without it they come by a long connection. `domain` is the origin
    of the open platform. `allowed_link_hosts` are the hosts that an answer may link to, their subdomains not included;
    every other address is shown, but leads nowhere. `shared_chats` lets people of other companies ask too."""

    app_id: str
    app_secret: SecretStr
    encrypt_key: SecretStr | None = None
    verification_token: SecretStr | None = None
    domain: str = DOMAINS["lark"]
    allowed_link_hosts: frozenset[str] = frozenset()
    shared_chats: bool = False
