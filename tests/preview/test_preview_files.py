"""`sloforge preview` from the command line: a file, pictures, a recording, a server, its mistakes."""

import json
import os
import signal
import struct
import subprocess
import sys
import urllib.request
import zlib
from pathlib import Path

import pytest
from tests.live.prometheus import binary
from tests.preview import chrome
from tests.preview.world import END, EVIL, START

ROOT = Path(__file__).parents[2]
needs_chromium = pytest.mark.skipif(
    not (chrome.CHROMIUM and chrome.DRIVER), reason="no chromium on PATH"
)
pytestmark = [
    pytest.mark.skipif(binary() is None, reason="no prometheus on PATH"),
    pytest.mark.xdist_group("preview"),
]
SLOFORGE = (sys.executable, "-c", "from sloforge.cli import main; main()")
SOME = ("--dashboard", "slo-fleet", "--dashboard", "slo-incident", "--dashboard", "odd")
SPAN = ("--from", str(START * 1000), "--to", str(END * 1000))


def run(folder, *options, **environment):
    command = [*SLOFORGE, "-C", str(folder.parent), "preview", *map(str, options)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env=os.environ | environment,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="session")
def recorded(shown, tmp_path_factory):
    """A static file and a recording, of one run."""
    folder = tmp_path_factory.mktemp("files")
    code, out, err = run(
        shown.folder,
        "--prometheus",
        shown.prometheus.url,
        *SPAN,
        *SOME,
        "--static",
        folder / "out.html",
        "--record",
        folder / "answers.json",
    )
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{folder}/out.html: 3 dashboards, {(folder / 'out.html').stat().st_size / 2**20:.1f} MiB",
        f"{folder}/answers.json: the answers for 3 dashboards",
    ]
    return folder


@needs_chromium
def test_the_file_opens_without_a_server_or_a_network(recorded):
    with chrome.window("--host-resolver-rules=MAP * ~NOTFOUND") as page:
        url = (recorded / "out.html").as_uri()
        page.open(f"{url}#/d/slo-fleet")
        assert page.one(".banner").text.startswith("Recorded. The numbers are of ")
        assert page.panel("Budgets spent").find_element("css selector", ".stat-value").text == "1"
        cell = next(one for one in page.all(".grid td a") if one.text == "availability-http")
        cell.click()
        page.until("return document.querySelector('.top h1').textContent === 'SLO / Incident'")
        page.drawn()
        assert "12.34%" in page.panel("Budget left").text
        page.run("location.hash = '/d/odd'")
        page.until("return document.querySelector('.top h1').textContent.includes('script')")
        page.drawn()
        page.run("for (const one of document.querySelectorAll('details')) one.open = true")
        assert page.run("return typeof hacked") == "undefined"
        assert EVIL[1] in page.texts(".panel[aria-label='stat 1'] .stat-name")
        assert [one for one in page.requests() if not one.startswith(("file:", "data:"))] == []
        assert page.complaints == []


def test_the_file_runs_only_its_own_scripts(recorded):
    text = (recorded / "out.html").read_text(encoding="utf-8")
    policy = text.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert policy.count("'sha256-") == 4
    assert 'src="/page' not in text
    assert 'href="/page' not in text


def test_a_recording_gives_the_same_file_again_and_asks_nobody(shown, recorded, tmp_path):
    code, _, err = run(
        shown.folder,
        "--replay",
        recorded / "answers.json",
        *SPAN,
        *SOME,
        "--static",
        tmp_path / "again.html",
    )
    assert (code, err) == (0, "")

    def data(file):
        text = (
            file.read_text(encoding="utf-8")
            .partition('id="recorded">')[2]
            .partition("</script>")[0]
        )
        return json.loads(text)

    first, again = data(recorded / "out.html"), data(tmp_path / "again.html")
    assert [one["panels"] for one in again["pages"]] == [one["panels"] for one in first["pages"]]
    assert f"{shown.prometheus.url}, recorded 20" in again["listed"]["source"]


def test_what_was_not_recorded_says_so(shown, recorded, tmp_path):
    code, _, _ = run(
        shown.folder,
        "--replay",
        recorded / "answers.json",
        "--range",
        "1h",
        "--dashboard",
        "slo-fleet",
        "--static",
        tmp_path / "a.html",
    )
    assert code == 0
    assert (
        "this was not asked when the recording was made; record it again"
        in (tmp_path / "a.html").read_text()
    )


def test_sample_data_is_marked_and_stays_so(shown, tmp_path):
    url = shown.prometheus.url
    assert (
        run(
            shown.folder,
            "--prometheus",
            url,
            *SPAN,
            "--dashboard",
            "slo-fleet",
            "--sample",
            "--record",
            tmp_path / "a.json",
        )[0]
        == 0
    )
    assert (
        run(
            shown.folder,
            "--replay",
            tmp_path / "a.json",
            *SPAN,
            "--dashboard",
            "slo-fleet",
            "--static",
            tmp_path / "a.html",
        )[0]
        == 0
    )
    assert "Sample data, not of any real system." in (tmp_path / "a.html").read_text()


def pixels(data):
    """Width, height and the rows of a PNG, still filtered."""
    width, height = struct.unpack(">II", data[16:24])
    at, packed = 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        packed += data[at + 8 : at + 8 + size] * (kind == b"IDAT")
        at += size + 12
    return width, height, zlib.decompress(packed)


def test_a_variable_is_chosen_on_the_command_line(shown, tmp_path):
    def first_chosen(*options):
        only = ("--dashboard", "slo-incident", "--static", tmp_path / "out.html")
        code, _, err = run(
            shown.folder, "--prometheus", shown.prometheus.url, *SPAN, *only, *options
        )
        assert (code, err) == (0, "")
        text = (tmp_path / "out.html").read_text(encoding="utf-8")
        kept = text.partition('id="recorded">')[2].partition("</script>")[0]
        page = json.loads(kept)["pages"][0]
        return page["chosen"]["var-service"][0], page["board"]

    usual, board = first_chosen()
    options = next(one["options"] for one in board["variables"] if one["name"] == "service")
    other = next(value for _, value in options if value != usual)
    assert first_chosen("--var", f"service={other}")[0] == other


@needs_chromium
def test_pictures_are_as_high_as_their_dashboards_and_not_blank(shown, tmp_path):
    found: dict[tuple[str, str], bytes] = {}
    for theme, uids in (("dark", ("slo-fleet", "slo-incident")), ("light", ("slo-fleet",))):
        only = [word for uid in uids for word in ("--dashboard", uid)]
        more = ("--png", tmp_path / theme, "--theme", theme, "--width", 1400)
        code, out, err = run(
            shown.folder, "--prometheus", shown.prometheus.url, *SPAN, *only, *more
        )
        assert (code, err) == (0, "")
        files = [f"{tmp_path}/{theme}/{uid}.png" for uid in uids]
        assert [line.partition(":")[0] for line in out.splitlines()] == files
        found |= {
            (theme, uid): Path(file).read_bytes() for uid, file in zip(uids, files, strict=True)
        }
    for data in found.values():
        width, height, raw = pixels(data)
        assert width == 1400
        assert 900 < height < 3000
        assert len(data) < 1_000_000
        assert len(set(raw[:: max(1, len(raw) // 200_000)])) > 50
    assert found["dark", "slo-fleet"] != found["light", "slo-fleet"]
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == len(found)


def test_without_a_browser_it_says_what_to_install(shown, tmp_path):
    code, out, err = run(
        shown.folder, "--prometheus", shown.prometheus.url, "--png", tmp_path, PATH=str(tmp_path)
    )
    assert (code, out) == (1, "")
    assert (
        err
        == "--png: needs Chromium, and none of chromium, chromium-browser, google-chrome, google-chrome-stable, chrome is on PATH; install it, as with `apt-get install chromium`\n"
    )


def test_a_browser_that_does_not_start_is_told(shown, tmp_path):
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\nexit 7\n")
    fake.chmod(0o755)
    code, _, err = run(
        shown.folder,
        "--prometheus",
        shown.prometheus.url,
        "--png",
        tmp_path / "out",
        PATH=f"{tmp_path}:/bin",
    )
    assert code == 1
    assert "the browser" in err
    assert not (tmp_path / "out").exists()


MISTAKES = [
    (("--prometheus", "http://127.0.0.1:9", "--static", "{tmp}/a.html"), 1, "Connection refused"),
    (("--dashboard", "nothing"), 1, "there is no dashboard `nothing`; known are odd, slo-fleet"),
    (
        ("--var", "town=x"),
        1,
        "--var town: none of these dashboards has this variable, expected one",
    ),
    (("--var", "service"), 2, "--var service: expected NAME=VALUE, such as service=checkout"),
    (("--from", "yesterday"), 1, "time: expected such as now-7d"),
    (("--range", "soon", "--static", "{tmp}/a.html"), 1, "time: expected such as now-7d"),
    (("--replay", "{tmp}/none.json"), 1, "cannot be read: No such file or directory"),
    (("--replay", "{tmp}/bad.json"), 1, "expected `sloforge preview recording 1`; write one with"),
    (("--host", "256.0.0.1"), 1, "cannot listen on 256.0.0.1"),
    (("--range", "1h", "--from", "now-2h"), 2, "--range and --from or --to exclude one another"),
    (
        ("--replay", "x", "--prometheus", "http://x"),
        2,
        "--prometheus and --replay exclude one another",
    ),
    (("--replay", "x", "--record", "y"), 2, "--record and --replay exclude one another"),
]


@pytest.mark.parametrize(("options", "code", "words"), MISTAKES)
def test_a_mistake_is_told_and_nothing_is_written(shown, tmp_path, options, code, words):
    (tmp_path / "bad.json").write_text('{"format": 1}')
    found, out, err = run(shown.folder, *(one.format(tmp=tmp_path) for one in options))
    assert (found, out) == (code, "")
    assert words in err
    assert "Traceback" not in err
    assert [one.name for one in tmp_path.iterdir()] == ["bad.json"]


def test_a_file_that_cannot_be_written_leaves_what_was_there(shown, tmp_path):
    (tmp_path / "a.html").mkdir()
    code, _, err = run(
        shown.folder,
        "--prometheus",
        shown.prometheus.url,
        "--dashboard",
        "slo-fleet",
        "--static",
        tmp_path / "a.html" / "." / ".." / "a.html",
        *SPAN,
    )
    assert code == 2
    assert "is a directory" in err
    code, _, err = run(
        shown.folder,
        "--prometheus",
        shown.prometheus.url,
        "--dashboard",
        "slo-fleet",
        "--static",
        "/proc/none/a.html",
        *SPAN,
    )
    assert code == 1
    assert "cannot write /proc/none/a.html" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_asked_to_end(shown, number):
    command = [
        *SLOFORGE,
        "-C",
        str(shown.folder.parent),
        "preview",
        "--prometheus",
        shown.prometheus.url,
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        assert line.endswith(f" shows {shown.prometheus.url}; Ctrl-C ends it\n")
        with urllib.request.urlopen(line.partition(" ")[0], timeout=20) as answer:
            assert answer.status == 200
        process.send_signal(number)
        assert process.wait(20) == 0
        assert process.stderr.read() == ""


def test_a_host_that_others_reach_is_warned_about(shown):
    command = [
        *SLOFORGE,
        "-C",
        str(shown.folder.parent),
        "preview",
        "--host",
        "0.0.0.0",
        "--port",
        "0",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(20)
        assert (
            process.stderr.read()
            == "listening on 0.0.0.0: whoever reaches it can read everything that Prometheus knows; there is no login\n"
        )


def test_without_the_extra_it_says_what_to_install(shown, tmp_path):
    (tmp_path / "plotly.py").write_text("raise ModuleNotFoundError('plotly')")
    code, out, err = run(shown.folder, PYTHONPATH=str(tmp_path))
    assert (code, out) == (1, "")
    assert (
        err
        == "sloforge preview: needs plotly, which draws the charts, and it is not installed; run `pip install 'sloforge[preview]'`\n"
    )
