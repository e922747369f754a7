"""Grafana's errors as it words them: pkg/services/dashboards/errors.go and pkg/api/apierrors."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """An answer that is not a success."""

    def __init__(self, status: int, message: str, word: str = "", **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"message": message} | ({"status": word} if word else {}) | more


def not_found() -> Refused:
    return Refused(404, "Dashboard not found")


def version_mismatch() -> Refused:
    return Refused(412, "The dashboard has been changed by someone else", "version-mismatch")


def name_exists() -> Refused:
    message = "A dashboard with the same name in the folder already exists"
    return Refused(412, message, "name-exists")


def plugin_dashboard(plugin: str) -> Refused:
    return Refused(412, f"The dashboard belongs to plugin {plugin}.", "plugin-dashboard")


def folder_version_mismatch() -> Refused:
    message = "the folder has been changed by someone else"
    return Refused(412, message, "version-mismatch")


def folder_not_found() -> Refused:
    return Refused(404, "folder not found", "not-found")


def forbidden(action: str) -> Refused:
    message = (
        f"You'll need additional permissions to perform this action. Permissions needed: {action}"
    )
    return Refused(403, message, title="Access denied", accessErrorId="ACE0000000000")


def unauthorized() -> Refused:
    return Refused(401, "Invalid API key", messageId="api-key.invalid", statusCode=401, traceID="")
