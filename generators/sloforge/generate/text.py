"""The words of an alert: a fixed summary, a description with the numbers, where to look next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.promql import duration, number, seconds
from sloforge.sli import Quantile

if TYPE_CHECKING:
    from datetime import timedelta

    from sloforge.alerts import Alert
    from sloforge.model import Project, Slo

# How the first sample of a query is written.
TIMES = '{{ . | first | value | printf "%.1f" }}x'
SHARE = "{{ . | first | value | humanizePercentage }}"
TIME = "{{ . | first | value | humanizeDuration }}"
SUMMARIES = {
    "burn": "Error budget burn rate is too high.",
    "quantile": "Latency is above its threshold.",
    "budget-exhausted": "The error budget is spent.",
    "half-budget-in-a-day": "Half of the error budget went within a day.",
    "rules-stale": "The rules of an SLO have stopped recording.",
    "down": "The service is down.",
    "instrumentation-gone": "A metric that an SLO reads is gone.",
}


def alert_annotations(project: Project, alert: Alert) -> dict[str, str]:
    """summary, description, runbook_url, dashboard_url, then the team's own."""
    settings = project.settings
    found = {"summary": SUMMARIES[alert.kind], "description": _description(alert)}
    found["runbook_url"] = settings.runbook_base_url + alert.runbook.removeprefix("runbooks/")
    if settings.dashboard_base_url:
        found["dashboard_url"] = dashboard_url(project, alert)
    return found | dict(alert.annotations)


def dashboard_url(project: Project, alert: Alert) -> str:
    """The first-look board, on this service and SLO, over the last three hours."""
    url = f"{project.settings.dashboard_base_url}/d/{naming.INCIDENT_UID}"
    slo = f"&var-slo={alert.slo.name}" if alert.slo else ""
    return f"{url}?var-service={alert.service.name}{slo}&from=now-3h&to=now"


def _description(alert: Alert) -> str:
    slo = alert.slo
    if slo is None:
        return _service_description(alert)
    match alert.kind:
        case "burn":
            return _burn(alert, slo)
        case "quantile":
            return _quantile(slo)
        case "budget-exhausted":
            return (
                f"{_name(slo)} has spent the error budget of its {duration(slo.window)} period: "
                "{{ $value | humanizePercentage }} of it is left. "
                "Only changes that restore reliability should be deployed."
            )
        case "half-budget-in-a-day":
            return (
                f"{_name(slo)}: {{{{ $value | humanizePercentage }}}} of all {slo.sli.unit} of the "
                f"last day were bad. That is more than half of the {duration(slo.window)} budget. "
                "Roll back what was deployed last."
            )
        case _:
            return (
                f"{_name(slo)}: the series that its rules read are there, but "
                f"{naming.TOTAL} is missing or old. Its alerts cannot fire."
            )


def _service_description(alert: Alert) -> str:
    job = alert.service.job
    if alert.kind == "down":
        return (
            f"No target of job {job} answers its scrapes, or none is known. "
            "A process that is down counts no errors: the burn-rate alerts stay silent."
        )
    return (
        f"Job {job} is scraped, but {{{{ $labels.missing }}}} is not there, or not on every "
        "target. The SLOs that read it do not see what happens there."
    )


def _burn(alert: Alert, slo: Slo) -> str:
    burn = alert.burn
    assert burn is not None
    long, short = (_asked(slo, _burn_query(slo, w), TIMES) for w in (burn.long, burn.short))
    left = _asked(slo, str(naming.of(slo, naming.REMAINING)), SHARE)
    exhaustion = _asked(slo, _exhaustion(slo, burn.long), TIME)
    return (
        f"{_name(slo)} burns its error budget at {long} over {duration(burn.long)} "
        f"and {short} over {duration(burn.short)} "
        f"(alert above {number(burn.factor(slo.window))}x). "
        f"Budget left: {left}. At this rate it is gone in {exhaustion}."
    )


def _name(slo: Slo) -> str:
    by = "".join(f" {label}={{{{ $labels.{label} }}}}" for label in slo.by)
    return f"{slo.service}/{slo.name}{by}"


def _burn_query(slo: Slo, window: timedelta) -> str:
    assert slo.budget is not None
    return f"{naming.of(slo, naming.error_ratio(window))} / {number(slo.budget)}"


def _exhaustion(slo: Slo, window: timedelta) -> str:
    """Seconds until nothing is left: remaining x period / burn rate."""
    left = f"clamp_min({naming.of(slo, naming.REMAINING)}, 0)"
    period = number(seconds(slo.window))
    return f"{left} * {period} / on ({', '.join(slo.identity)}) ({_burn_query(slo, window)} > 0)"


def _asked(slo: Slo, query: str, shown: str) -> str:
    """A template that asks Prometheus at the moment of firing; `unknown` where nothing answers.

    The query stands between backquotes, so that its own quotes need no escape; the values of the
    `by` labels come in through printf's %q.
    """
    if slo.by:
        matchers = ",".join(f"{label}=%q" for label in slo.by)
        values = "".join(f" $labels.{label}" for label in slo.by) * query.count("{slo_service")
        source = (
            f"printf `{query.replace('{slo_service', f'{{{matchers},slo_service')}`{values} | query"
        )
    else:
        source = f"query `{query}`"
    return f"{{{{ with {source} }}}}{shown}{{{{ else }}}}unknown{{{{ end }}}}"


def _quantile(slo: Slo) -> str:
    sli = slo.sli
    assert isinstance(sli, Quantile)
    windows = " and ".join(duration(window) for window in sorted(sli.windows, reverse=True))
    percent = number(sli.quantile * 100)
    return (
        f"{_name(slo)}: P{percent} is {{{{ $value | humanizeDuration }}}} over "
        f"{duration(max(sli.windows))}, above {number(sli.threshold)} s over {windows}."
    )
