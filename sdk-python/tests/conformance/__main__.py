"""`python3 -m tests.conformance`: plays every case, and prints one JSON line for each."""

from __future__ import annotations

import asyncio
import json
import sys

from .run_case import run_case
from .script import scripts


async def main() -> int:
    failed = 0
    for file, case in scripts():
        fault = await run_case(case)
        failed += fault is not None
        print(json.dumps({"file": file, "name": case["name"], "fault": fault}), flush=True)
    return min(failed, 1)


sys.exit(asyncio.run(main()))
