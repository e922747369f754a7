"""Rules backfilled from a real Prometheus: a month is a few queries, and no point is lost."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.live.prometheus import Span, binary, prometheus

from promtool import History, backfill_openmetrics, backfill_rules

pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no prometheus on PATH"),
    pytest.mark.xdist_group("prometheus"),
]
START, MINUTE, MONTH = 1_600_000_020, 60, 30 * 1440
RULES = """\
groups:
- name: minutes
  rules: [{record: 'a:minutes', expr: 'a * 2', labels: {kept: 'yes'}}]
- name: often
  interval: 30s
  rules: [{record: 'a:often', expr: 'a * 3'}]
"""


def test_a_month_of_rules_is_backfilled_in_few_blocks_without_a_gap(tmp_path: Path) -> None:
    raw, rules, data = tmp_path / "raw.om", tmp_path / "rules.yml", tmp_path / "tsdb"
    lines = "".join(f"a {i} {START + i * MINUTE}\n" for i in range(MONTH + 1))
    raw.write_text(f"# TYPE a gauge\n{lines}# EOF\n", encoding="utf-8")
    rules.write_text(RULES, encoding="utf-8")
    backfill_openmetrics(raw, data)
    start = datetime.fromtimestamp(START, tz=UTC)
    end = START + MONTH * MINUTE
    with prometheus(data) as server:
        history = History(url=server.url, start=start, end=start + timedelta(days=30))
        blocks = backfill_rules([rules], tmp_path / "out", history)
    # 720 hours: blocks are 2 hours times a power of three, 54 of them below 11,000 points of 30s.
    assert len(blocks) <= 2 * (720 // 54 + 2)
    with prometheus(tmp_path / "out") as server:
        at, every = end - 1, MONTH * MINUTE
        for query, want in (
            (f"count_over_time(a:minutes[{every}s])", MONTH),
            (f"count_over_time(a:often[{every}s])", 2 * MONTH),
            (f'a:minutes{{kept="yes"}} offset {MINUTE}s', 2 * (MONTH - 2)),
        ):
            assert server.value(query, at) == pytest.approx(want, abs=2), query
        whole = server.over("a:often", Span(start=START + MINUTE, end=at, step=3600))
        assert len(list(whole.points())) == MONTH // 60
