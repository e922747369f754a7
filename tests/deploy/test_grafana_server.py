"""Our stand-in for Grafana, driven by a client that knows nothing of it: grafana-client."""

from __future__ import annotations

import pytest
from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaBadInputError,
    GrafanaClientError,
    GrafanaServerError,
    GrafanaUnauthorizedError,
    TokenAuth,
)
from tests.grafana_server import Behaviour, Fault, GrafanaServer
from tests.grafana_server.serving import TOKEN

_OPENED: list[GrafanaApi] = []


@pytest.fixture(autouse=True)
def closed():
    yield
    while _OPENED:
        _OPENED.pop().client.s.close()


@pytest.fixture
def server():
    with GrafanaServer() as made:
        yield made


@pytest.fixture
def api(server):
    return connected(server)


def connected(server, token=TOKEN):
    return opened(server, TokenAuth(token=token))


def opened(server, credential):
    _OPENED.append(GrafanaApi.from_url(server.url, credential=credential))
    return _OPENED[-1]


def board(uid="board", **changes):
    return {"uid": uid, "title": uid, "tags": ["one"], "panels": [], "id": None} | changes


def save(api, document, folder="", **more):
    return api.dashboard.update_dashboard({"dashboard": document, "folderUid": folder} | more)


def refused(call, *arguments, **named):
    with pytest.raises(GrafanaClientError) as caught:
        call(*arguments, **named)
    return caught.value.status_code, caught.value.response


def test_health_tells_the_version(api):
    assert api.health.check()["version"] == "11.6.0"


def test_a_wrong_token_is_unauthorized(server):
    with pytest.raises(GrafanaUnauthorizedError):
        connected(server, "glsa_wrong").dashboard.get_dashboard("board")


def test_basic_authentication_works(server):
    api = opened(server, ("admin", "hunter2-secret"))
    assert api.organization.get_current_organization()["id"] == 1


def test_another_organisation_than_the_token_s_is_unauthorized(server):
    # The header is set beside the token, as a proxy would.
    api = connected(server)
    api.client.s.headers["X-Grafana-Org-Id"] = "2"
    with pytest.raises(GrafanaUnauthorizedError):
        api.dashboard.get_dashboard("board")


def test_a_dashboard_comes_back_as_it_was_saved_with_an_id_and_a_version(api):
    answer = save(api, board())
    assert (answer["status"], answer["version"], answer["uid"]) == ("success", 1, "board")
    found = api.dashboard.get_dashboard("board")
    assert found["dashboard"] == board() | {"id": answer["id"], "version": 1}
    assert found["meta"]["folderUid"] == ""


def test_every_save_makes_a_version_and_an_old_one_is_refused(api):
    save(api, board())
    assert save(api, board(version=1))["version"] == 2
    status, body = refused(save, api, board(version=1))
    assert status == 412
    assert body == {
        "message": "The dashboard has been changed by someone else",
        "status": "version-mismatch",
    }
    assert refused(save, api, board())[0] == 412
    assert save(api, board(), overwrite=True)["version"] == 3


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (board(title=" "), "Dashboard title cannot be empty"),
        (board(uid="with space"), "uid contains illegal characters"),
        (board(uid="x" * 41), "uid too long, max 40 characters"),
        (board(title="x" * 5001), "Dashboard title cannot contain more than 5 000 characters"),
    ],
)
def test_what_grafana_does_not_take_is_a_bad_input(api, document, words):
    with pytest.raises(GrafanaBadInputError) as caught:
        save(api, document)
    assert caught.value.response["message"] == words


def test_a_message_that_is_too_long_is_a_bad_input(api):
    with pytest.raises(GrafanaBadInputError, match="message too long"):
        save(api, board(), message="x" * 501)


def test_a_provisioned_dashboard_can_neither_be_saved_nor_deleted(server, api):
    server.store.put(board(), provisioned="a.json")
    assert api.dashboard.get_dashboard("board")["meta"]["provisioned"] is True
    with pytest.raises(GrafanaBadInputError, match="Cannot save provisioned dashboard"):
        save(api, board(version=1))
    with pytest.raises(GrafanaBadInputError, match="provisioned dashboard cannot be deleted"):
        api.dashboard.delete_dashboard("board")


def test_a_plugin_s_dashboard_is_saved_only_with_overwrite(server, api):
    server.store.put(board(), plugin="piechart")
    status, body = refused(save, api, board(version=1))
    assert (status, body["status"]) == (412, "plugin-dashboard")
    assert save(api, board(), overwrite=True)["version"] == 2


@pytest.mark.parametrize(("version", "unique"), [("10.4.2", True), ("11.6.0", False)])
def test_titles_are_unique_in_a_folder_up_to_10_4(version, unique):
    with GrafanaServer(Behaviour(version=version)) as server:
        api = connected(server)
        save(api, board("a", title="Same"))
        if unique:
            status, body = refused(save, api, board("b", title="Same"))
            assert (status, body["status"]) == (412, "name-exists")
            # The documented trap: overwriting takes the place of the other dashboard.
            save(api, board("b", title="Same"), overwrite=True)
            assert set(server.store.dashboards) == {"b"}
        else:
            save(api, board("b", title="Same"))


def test_leaving_out_the_folder_moves_a_dashboard_to_the_root(api):
    api.folder.create_folder("SLO", uid="slo")
    save(api, board(), "slo")
    assert api.dashboard.get_dashboard("board")["meta"]["folderUid"] == "slo"
    save(api, board(version=1))
    assert api.dashboard.get_dashboard("board")["meta"]["folderUid"] == ""


@pytest.mark.parametrize(("version", "folder"), [("12.1.0", "slo"), ("13.0.0", "")])
def test_a_folder_s_number_is_ignored_from_13_on(version, folder):
    with GrafanaServer(Behaviour(version=version)) as server:
        api = connected(server)
        number = api.folder.create_folder("SLO", uid="slo")["id"]
        api.dashboard.update_dashboard({"dashboard": board(), "folderId": number})
        assert api.dashboard.get_dashboard("board")["meta"]["folderUid"] == folder


@pytest.mark.parametrize(("version", "status"), [("11.6.0", 400), ("12.1.0", 404)])
def test_a_folder_that_is_not_there_is_refused(version, status):
    with GrafanaServer(Behaviour(version=version)) as server:
        assert refused(save, connected(server), board(), "nowhere")[0] == status


@pytest.mark.parametrize(("version", "status"), [("10.4.2", 412), ("11.6.0", 409)])
def test_a_folder_is_created_once(version, status):
    with GrafanaServer(Behaviour(version=version)) as server:
        api = connected(server)
        api.folder.create_folder("SLO", uid="slo")
        assert refused(api.folder.create_folder, "Other", uid="slo")[0] == status


def test_a_folder_is_renamed_over_the_version_that_was_seen(api):
    api.folder.create_folder("SLO", uid="slo")
    assert api.folder.update_folder("slo", title="New", version=1)["version"] == 2
    assert refused(api.folder.update_folder, "slo", title="Newer", version=1)[0] == 412


def test_deleting_a_folder_deletes_what_is_in_it(server, api):
    api.folder.create_folder("SLO", uid="slo")
    save(api, board(), "slo")
    api.folder.delete_folder("slo")
    assert server.store.dashboards == {}


def test_deleting_a_dashboard_is_for_good(api):
    save(api, board())
    assert api.dashboard.delete_dashboard("board")["uid"] == "board"
    assert refused(api.dashboard.delete_dashboard, "board")[0] == 404
    assert refused(api.dashboard.get_dashboard, "board")[0] == 404


def test_a_refresh_below_the_minimum_is_raised_without_a_word():
    with GrafanaServer(Behaviour(min_refresh="1m")) as server:
        api = connected(server)
        assert save(api, board(refresh="30s"))["status"] == "success"
        assert api.dashboard.get_dashboard("board")["dashboard"]["refresh"] == "1m"


def test_the_search_finds_by_tag_and_lags_behind_writes():
    with GrafanaServer(Behaviour(search_lags=True)) as server:
        api = connected(server)
        save(api, board("a"))
        save(api, board("b", tags=["two"]))
        assert api.search.search_dashboards(tag="one") == []
        server.store.refresh()
        assert [hit["uid"] for hit in api.search.search_dashboards(tag="one")] == ["a"]
        api.dashboard.delete_dashboard("a")
        assert [hit["uid"] for hit in api.search.search_dashboards(tag="one")] == ["a"]


def test_the_search_answers_in_pages(api):
    for number in range(5):
        save(api, board(f"b{number}"))
    pages = [api.search.search_dashboards(limit=2, page=page) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [2, 2, 1, 0]


def test_a_missing_permission_is_named_in_the_answer(server):
    server.grant("reader", {"dashboards:read": ("*",), "folders:read": ("*",)})
    api = connected(server, "reader")
    status, body = refused(save, api, board())
    assert status == 403
    assert body["message"].endswith("Permissions needed: dashboards:create")
    server.store.put(board())
    assert api.dashboard.get_dashboard("board")["meta"]["canSave"] is False


def test_a_permission_on_one_folder_is_one_on_that_folder_only(server):
    server.store.put_folder("slo", "SLO")
    server.grant("narrow", {"dashboards:create": ("folders:uid:slo",)})
    api = connected(server, "narrow")
    assert save(api, board("a"), "slo")["status"] == "success"
    assert refused(save, api, board("b"))[0] == 403


def test_legacy_alerts_are_invalid_in_10_4():
    with GrafanaServer(Behaviour(version="10.4.2")) as server:
        assert refused(save, connected(server), board(panels=[{"alert": {}}]))[0] == 422


def test_what_another_tool_manages_is_refused_from_12_on():
    with GrafanaServer(Behaviour(version="12.1.0")) as server:
        server.store.put(board(), manager="repo main")
        assert refused(save, connected(server), board(version=1))[0] == 403


def test_an_annotation_needs_a_text(server, api):
    api.annotations.add_annotation(text="deployed", tags=["deploy"])
    assert server.store.annotations[0]["text"] == "deployed"
    with pytest.raises(GrafanaBadInputError):
        api.annotations.add_annotation(text="", tags=["deploy"])


def test_a_scripted_failure_happens_as_often_as_it_is_scripted(server, api):
    save(api, board())
    server.script.add(Fault(path="/api/dashboards/uid/.*", status=500, times=2, skip=1))
    api.dashboard.get_dashboard("board")
    for _ in range(2):
        with pytest.raises(GrafanaServerError):
            api.dashboard.get_dashboard("board")
    assert api.dashboard.get_dashboard("board")["meta"]["version"] == 1


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_answer_says_nothing_about_what_was_done(server, api, committed):
    server.script.add(Fault(path="/api/dashboards/db", kind="drop", committed=committed))
    with pytest.raises(Exception, match=r"(?i)connection|remote|closed"):
        save(api, board())
    assert ("board" in server.store.dashboards) is committed
