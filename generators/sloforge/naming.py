"""Every name that appears in an artifact is spelled here and nowhere else.

The metric names are those that Sloth's users and dashboards know; ours are a superset.
"""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from sloforge.promql import duration, selector

if TYPE_CHECKING:
    from sloforge.model import Slo
    from sloforge.promql import Selector

TOTAL = "slo:sli_total:rate5m"
ERRORS = "slo:sli_errors:rate5m"
# The same, sampled every five minutes: what windows of a day and more add up.
TOTAL_5M = "slo:sli_total:rate5m_5m"
ERRORS_5M = "slo:sli_errors:rate5m_5m"
OBJECTIVE = "slo:objective:ratio"
BUDGET = "slo:error_budget:ratio"
PERIOD = "slo:time_period:days"
CURRENT_BURN = "slo:current_burn_rate:ratio"
PERIOD_BURN = "slo:period_burn_rate:ratio"
REMAINING = "slo:period_error_budget_remaining:ratio"
INFO = "slo_info"
SLOTH_INFO = "sloth_slo_info"
HTTP_REQUESTS = "service:http_requests:rate5m"
HTTP_DURATION = "service:http_request_duration_bucket:rate5m"

WATCHDOG = "Watchdog"
UID_LIMIT = 40
# No foreign dashboard may begin like ours.
UID_PREFIX = "slo-"


def error_ratio(window: timedelta) -> str:
    """`slo:sli_error:ratio_rate1h`."""
    return f"slo:sli_error:ratio_rate{duration(window)}"


def sloths_ratio(window: timedelta) -> str:
    """The same as Sloth spells it: 28 days are `slo:sli_error:ratio_rate4w`."""
    return f"slo:sli_error:ratio_rate{sloths_window(window)}"


def sloths_window(window: timedelta) -> str:
    """Years and weeks where nothing is left over, else from days down: 36 hours are `1d12h`."""
    text, rest = "", window
    for unit, size in (("y", 365), ("w", 7)):
        if not rest % timedelta(days=size):
            return f"{rest // timedelta(days=size)}{unit}"
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        whole = timedelta(seconds=size)
        text += f"{rest // whole}{unit}" if rest >= whole else ""
        rest %= whole
    return text


def quantile(window: timedelta) -> str:
    """`slo:sli_quantile:rate1h`, in the histogram's unit."""
    return f"slo:sli_quantile:rate{duration(window)}"


def of(slo: Slo, metric: str) -> Selector:
    """The series of one SLO."""
    return selector(metric, slo.labels)


def recording_group(slo: Slo) -> str:
    return f"slo-{slo.id}"


def period_group(slo: Slo) -> str:
    return f"slo-{slo.id}-period"


def sloth_group(slo: Slo) -> str:
    return f"slo-{slo.id}-sloth"


def alert_group(slo: Slo) -> str:
    return f"slo-{slo.id}-alerts"


def http_group(service: str) -> str:
    return f"service-{service}-http"


def service_alert_group(service: str) -> str:
    return f"service-{service}-alerts"


def camel(*parts: str) -> str:
    """`availability-http`, `fast-burn` -> `AvailabilityHttpFastBurn`."""
    words = [word for part in parts for word in re.split(r"[^0-9A-Za-z]+", part) if word]
    return "".join(word[0].upper() + word[1:] for word in words)


def recording_file(service: str) -> str:
    return f"recording/{service}.yml"


def rules_file(service: str) -> str:
    return f"rules/{service}.yml"


# A service's name cannot begin with an underscore, so no service can take this file.
WATCHDOG_FILE = "rules/_watchdog.yml"


def test_file(service: str, subject: str) -> str:
    return f"tests/rules/{service}/{subject}.promtest.yml"


def dashboard_uid(service: str) -> str:
    """At most 40 characters of [a-z0-9-], which every version of Grafana takes."""
    return _uid(f"{UID_PREFIX}{service}")


def _uid(uid: str) -> str:
    if len(uid) <= UID_LIMIT:
        return uid
    return f"{uid[: UID_LIMIT - 9]}-{hashlib.sha256(uid.encode()).hexdigest()[:8]}"


FLEET_UID = "slo-fleet"
INCIDENT_UID = "slo-incident"


def dashboard_file(uid: str) -> str:
    return f"dashboards/{uid}.json"


def runbook_file(service: str, name: str) -> str:
    return f"runbooks/{service}/{name}.md"


def page_receiver(owner: str) -> str:
    return f"{owner}-page"


def ticket_receiver(owner: str) -> str:
    return f"{owner}-ticket"


# The folder of foreign files wherever ours have theirs; no service may have this name.
MIXINS = "mixins"


def mixin_recording_file(mixin: str) -> str:
    return f"recording/{MIXINS}/{mixin}.yml"


def mixin_rules_file(mixin: str) -> str:
    return f"rules/{MIXINS}/{mixin}.yml"


def mixin_dashboard_file(mixin: str, file: str) -> str:
    return f"dashboards/{MIXINS}/{mixin}/{file}"


def mixin_runbook_file(alert: str) -> str:
    return f"runbooks/{MIXINS}/{alert}.md"


def is_foreign(path: str) -> bool:
    """Whether a generated file is a mixin's."""
    return path.split("/")[1:2] == [MIXINS]


def mixin_dashboard_uid(mixin: str, stem: str) -> str:
    """For a foreign dashboard that has none of its own."""
    return _uid(f"mixin-{mixin}-{re.sub(r'[^a-z0-9]+', '-', stem.lower()).strip('-')}")
