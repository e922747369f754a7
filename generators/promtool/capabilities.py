"""What a promtool can do, by the version that brought it.

The versions are those of the Prometheus changelog
(https://github.com/prometheus/prometheus/blob/main/CHANGELOG.md).
"""

from dataclasses import dataclass

from promtool.version import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One feature: `what` completes the sentence "this test uses ..."."""

    name: str
    since: Version
    what: str


_ALL = (
    ("keep_firing_for", 2, 42, "the rule field `keep_firing_for`"),
    ("native_histograms", 2, 47, "the native-histogram notation `{{...}}`"),
    ("run", 2, 49, "the flag `--run`"),
    ("default_interval", 2, 49, "a test group without `interval`"),
    ("diff", 2, 50, "the flag `--diff`"),
    ("query_offset", 2, 53, "the rule group field `query_offset`"),
    ("junit", 2, 55, "the flag `--junit`"),
    ("utf8_names", 3, 0, "metric and label names outside `[a-zA-Z0-9_:]`"),
    ("left_open_ranges", 3, 0, "ranges that leave out their left edge"),
    ("group_labels", 3, 0, "`labels` of a rule group"),
    ("ignore_unknown_fields", 3, 2, "the flag `--ignore-unknown-fields`"),
    ("fuzzy_compare", 3, 5, "the field `fuzzy_compare`"),
    ("start_timestamp", 3, 9, "the field `start_timestamp`"),
)

CAPABILITIES: dict[str, Capability] = {
    name: Capability(name=name, since=Version(major=major, minor=minor), what=what)
    for name, major, minor, what in _ALL
}


def missing(needs: tuple[str, ...], version: Version) -> tuple[Capability, ...]:
    """Return the capabilities among `needs` that `version` lacks; unknown names raise KeyError."""
    wanted = (CAPABILITIES[name] for name in needs)
    return tuple(each for each in wanted if version < each.since)


def reason(lacking: tuple[Capability, ...], version: Version) -> str:
    """Say in one sentence why a test cannot run on `version`."""
    what = " and ".join(each.what for each in lacking)
    since = max(each.since for each in lacking)
    return f"uses {what}, which needs promtool {since.major}.{since.minor}, got {version}"
