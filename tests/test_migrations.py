"""The guides for those who move: each is followed to the letter, in an empty folder."""

import re

import pytest
from tests.test_docs import is_like, run, steps, text_of


@pytest.mark.parametrize("tool", ["sloth", "pyrra", "openslo"])
def test_a_guide_can_be_followed_to_the_letter(tool, tmp_path):
    said, ran = "", []
    for step in steps(text_of(f"docs/migrate-from-{tool}.md")):
        verb, _, name = step.note.partition(": ")
        if verb == "write":
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(step.text)
        elif verb == "append":
            with (tmp_path / name).open("a") as file:
                file.write(step.text)
        elif step.language == "sh":
            said = run(f"set -e\n{step.text}", tmp_path, code=2 if step.note == "changes" else 0)
            ran.append(step.text)
            if "sloforge check" in step.text:
                assert not re.search(r"error\[[A-Z]\d+\]", said), said
        else:
            assert is_like(step.text, said), f"shown:\n{step.text}\nreal:\n{said}"
    every = "".join(ran)
    for verb in ("init", "import --verify", "build", "check", "test", "plan"):
        assert f"sloforge {verb}" in every, verb
    run("sloforge build --check", tmp_path)
