"""JUnit XML with one test case for each assertion."""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from promtool.results import Assertion, File, Group, Suite

# Characters that XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets).
_FORBIDDEN = {code: "�" for code in range(32) if code not in {9, 10, 13}}


def junit_xml(suite: Suite) -> str:
    """Write a suite as one document; problems and raw text become cases of their own."""
    root = ET.Element("testsuites", name="promtool", time=f"{suite.duration:.3f}")
    for file in suite.files:
        _file(root, file)
    for element in (root, *root.findall("testsuite")):
        cases = element.findall(".//testcase")
        element.set("tests", str(len(cases)))
        for name, attribute in (
            ("failure", "failures"),
            ("error", "errors"),
            ("skipped", "skipped"),
        ):
            element.set(attribute, str(sum(case.find(name) is not None for case in cases)))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _file(root: ET.Element, file: File) -> None:
    seconds = sum(group.duration for group in file.groups)
    suite = ET.SubElement(root, "testsuite", name=_clean(str(file.path)), time=f"{seconds:.3f}")
    for problem in file.problems:
        case = _case(suite, (file, "file"), f"line {problem.line}", problem.line)
        _said(case, "error", str(problem))
    for group in file.groups:
        for assertion in group.assertions:
            _assertion(suite, file, group, assertion)
        for text, line in _own(group):
            _said(_case(suite, (file, group.name), "test group", line), "error", text)


def _assertion(suite: ET.Element, file: File, group: Group, assertion: Assertion) -> None:
    case = _case(suite, (file, group.name), assertion.title, assertion.line)
    case.set("time", f"{assertion.duration:.4f}")
    match assertion.status:
        case "passed":
            pass
        case "skipped":
            ET.SubElement(case, "skipped", message=_clean(group.skipped))
        case "failed":
            details = f"\nexpected {assertion.expected}\ngot {assertion.got}"
            _said(case, "failure", assertion.difference, details)
        case "error":
            _said(case, "error", assertion.difference)


def _own(group: Group) -> Iterator[tuple[str, int]]:
    yield from ((str(problem), problem.line) for problem in group.problems)
    if group.raw:
        yield group.raw, group.line


def _case(suite: ET.Element, owner: tuple[File, str], name: str, line: int) -> ET.Element:
    file, group = owner
    names = {"classname": _clean(group), "name": _clean(name), "file": _clean(str(file.path))}
    return ET.SubElement(suite, "testcase", {**names, "line": str(line), "time": "0"})


def _said(case: ET.Element, tag: str, text: str, details: str = "") -> None:
    first = text.splitlines()[0] if text else ""
    ET.SubElement(case, tag, message=_clean(first)).text = _clean(text + details)


def _clean(text: str) -> str:
    return text.translate(_FORBIDDEN)
