"""Milliseconds that the loop adds to a round, beside the SDK's own tool runner and a bare HTTP client.

Run: python benchmarks/loop_overhead.py [--turns 30]. All three answer the same turns, interleaved in one run, against
one server in another process that streams prepared replies without thinking time; so only the ratios travel."""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from anthropic import AsyncAnthropic, DefaultAioHttpClient, beta_async_tool
from pydantic import SecretStr

sys.path.insert(0, str(Path(__file__).parent.parent))

from agent.claude import Claude, ClaudeConfig
from agent.loop import Loop
from agent.messages import Message, user_text
from agent.tools import ToolResult, ToolSpec

ROUNDS = 10
ROWS = "2026-11-20 12:00:00,cluster,42.5\n" * 60
SYSTEM = "You are an analyst. " * 200
SCHEMA = {"type": "object", "properties": {"sql": {"type": "string"}}, "required": ["sql"]}
Turn = Callable[[], Awaitable[int]]


def sse(name: str, **data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()


def prepared(number: int) -> bytes:
    """The stream of one reply: a sentence, and a call unless it is the last round."""
    usage = {"input_tokens": 100, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": "claude-sonnet-5-5"}
    start = sse("message_start", message={**message, "stop_reason": None, "stop_sequence": None, "usage": usage})
    blocks: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        ({"type": "text", "text": ""}, [{"type": "text_delta", "text": "word " * 3}] * 20)
    ]
    if number < ROUNDS:
        call = {"type": "tool_use", "id": f"toolu_{number}", "name": "read_query", "input": {}}
        sql = json.dumps({"sql": f"SELECT {number}"})
        blocks.append((call, [{"type": "input_json_delta", "partial_json": piece} for piece in (sql[:6], sql[6:])]))
    body = b""
    for index, (block, deltas) in enumerate(blocks):
        body += sse("content_block_start", index=index, content_block=block)
        body += b"".join(sse("content_block_delta", index=index, delta=delta) for delta in deltas)
        body += sse("content_block_stop", index=index)
    reason = "tool_use" if number < ROUNDS else "end_turn"
    end = sse("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": 60})
    return start + body + end + sse("message_stop")


def serve(pipe: Connection) -> None:
    """The server process: which reply is due follows from the number of messages sent."""
    replies = [prepared(number) for number in range(ROUNDS + 1)]

    async def messages(request: web.Request) -> web.Response:
        body = json.loads(await request.read())
        due = (len(body["messages"]) - 1) // 2
        return web.Response(body=replies[due], headers={"content-type": "text/event-stream"})

    async def main() -> None:
        app = web.Application(client_max_size=2**25)
        app.router.add_post("/v1/messages", messages)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        pipe.send(runner.addresses[0][1])
        await asyncio.get_running_loop().run_in_executor(None, pipe.poll, None)
        await runner.cleanup()

    asyncio.run(main())


class Rows:
    """The tool of our loop."""

    async def specs(self) -> Sequence[ToolSpec]:
        return [ToolSpec("read_query", "runs SQL", SCHEMA)]

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(ROWS)


async def ours(claude: Claude) -> int:
    turn = await Loop(claude, Rows(), system=SYSTEM).run([user_text("what is wrong?")])
    return turn.rounds


@beta_async_tool
async def read_query(sql: str) -> str:
    """runs SQL"""
    return ROWS


async def sdk_runner(client: AsyncAnthropic) -> int:
    rounds = 0
    runner = client.beta.messages.tool_runner(
        model="claude-sonnet-5-5",
        max_tokens=16_000,
        system=SYSTEM,
        tools=[read_query],
        messages=[{"role": "user", "content": "what is wrong?"}],
        stream=True,
        thread=False,
    )
    async for stream in runner:
        rounds += 1
        async for _event in stream:
            pass
    return rounds


async def bare(session: aiohttp.ClientSession, url: str) -> int:
    """The least that any client has to do: post, split events, parse them, append."""
    history: list[Message] = [user_text("what is wrong?")]
    tools = [{"name": "read_query", "description": "runs SQL", "input_schema": SCHEMA}]
    for number in range(ROUNDS + 1):
        body = {"model": "m", "max_tokens": 1, "system": SYSTEM, "tools": tools, "messages": history, "stream": True}
        text, pieces, call_id = "", "", ""
        async with session.post(f"{url}/v1/messages", json=body) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    event = json.loads(line[6:])
                    call_id = event.get("content_block", {}).get("id", call_id)
                    text += event.get("delta", {}).get("text", "")
                    pieces += event.get("delta", {}).get("partial_json", "")
        if not pieces:
            return number + 1
        call = {"type": "tool_use", "id": call_id, "name": "read_query", "input": json.loads(pieces)}
        history.append({"role": "assistant", "content": [{"type": "text", "text": text}, call]})
        result = {"type": "tool_result", "tool_use_id": call_id, "content": ROWS}
        history.append({"role": "user", "content": [result]})
    raise AssertionError("the server never ended the turn")


async def measure(url: str, turns: int) -> dict[str, tuple[float, float]]:
    """Milliseconds per round of wall and of CPU time, the median over the turns."""
    config = ClaudeConfig(SecretStr("k"), base_url=url)
    client = AsyncAnthropic(api_key="k", base_url=url, max_retries=0, http_client=DefaultAioHttpClient())
    async with Claude(config) as claude, aiohttp.ClientSession() as session, client:
        ways: dict[str, Turn] = {
            "bare aiohttp": lambda: bare(session, url),
            "this loop": lambda: ours(claude),
            "SDK tool_runner": lambda: sdk_runner(client),
        }
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for number in range(turns + 3):
            for name, turn in ways.items():
                wall, cpu = time.perf_counter(), time.process_time()
                rounds = await turn()
                spent = (time.perf_counter() - wall, time.process_time() - cpu)
                if number >= 3:  # the first turns warm up
                    taken[name].append((1000 * spent[0] / rounds, 1000 * spent[1] / rounds))
    return {
        name: (statistics.median(wall for wall, _ in spent), statistics.median(cpu for _, cpu in spent))
        for name, spent in taken.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=30)
    turns = parser.parse_args().turns
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        figures = asyncio.run(measure(f"http://127.0.0.1:{here.recv()}", turns))
    finally:
        here.send("end")
        server.join(5)
    floor = figures["bare aiohttp"][0]
    print(f"{ROUNDS + 1} rounds a turn, one tool a round, {len(ROWS)} characters a result, median of {turns} turns")
    for name, (wall, cpu) in figures.items():
        print(f"{name:16} {wall:6.2f} ms/round wall {cpu:6.2f} ms/round CPU  {wall / floor:5.1f} x bare")


if __name__ == "__main__":
    main()
