"""The verbs of a deploy on the command line: plan, deploy, drift, rollback, deploys."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sloforge.artifacts import Change
    from sloforge.deploy.running import Repository
    from sloforge.deploy.shown import Format

MAX_PRUNE = 10

_env = click.option("--env", default="", help="The environment of deploy.yaml; the only one else.")
_target = click.option("--target", multiple=True, help="Only this target; may be repeated.")
_adopt = click.option("--adopt", is_flag=True, help="Take over objects that are not ours yet.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_verbose = click.option("-v", "--verbose", is_flag=True, help="Raw differences, and all objects.")
_max_prune = click.option(
    "--max-prune",
    type=click.IntRange(min=0),
    default=MAX_PRUNE,
    show_default=True,
    help="Refuse a plan that deletes more objects.",
)
_form = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as annotations in a GitHub workflow.",
)
_file = click.Path(dir_okay=False, path_type=Path)


@_env
@_target
@click.option("--out", type=_file, help="Save the plan for `sloforge deploy --plan`.")
@_adopt
@_verbose
@_form
def plan(  # noqa: PLR0913 - an option each
    repository: Repository,
    *,
    env: str,
    target: tuple[str, ...],
    out: Path | None,
    adopt: bool,
    verbose: bool,
    form: Format,
) -> int:
    """Show what a deploy would do; reads only.

    Exits with 0 where there is nothing to do, with 2 where there is, with 1 where something is
    wrong or blocked.

    \b
    Examples:
      sloforge plan --env prod
      sloforge plan --env prod --target grafana --out plan.json
    """
    from sloforge.deploy import dialogue  # noqa: PLC0415 - --help needs none of it
    from sloforge.deploy.running import Chosen  # noqa: PLC0415 - as above

    chosen = Chosen(environment=env, targets=target, adopt=adopt)
    return dialogue.plan(repository, chosen, out, dialogue.Manner(form=form, verbose=verbose))


@_env
@_target
@click.option("--plan", "saved", type=_file, help="Apply this saved plan, or nothing.")
@click.option("--resume", is_flag=True, help="Finish the deploy that was cut short.")
@click.option("--undo", is_flag=True, help="Take back what the deploy that was cut short did.")
@_adopt
@_max_prune
@_yes
@_verbose
@_form
def deploy(  # noqa: PLR0913 - an option each
    repository: Repository,
    *,
    env: str,
    target: tuple[str, ...],
    saved: Path | None,
    resume: bool,
    undo: bool,
    adopt: bool,
    max_prune: int,
    yes: bool,
    verbose: bool,
    form: Format,
) -> int:
    """Apply the plan, prove that it is in place, or take everything back.

    \b
    Examples:
      sloforge deploy --env dev
      sloforge plan --env prod --out plan.json && sloforge deploy --env prod --plan plan.json --yes
      sloforge deploy --env prod --resume
    """
    from sloforge.deploy import dialogue  # noqa: PLC0415 - --help needs none of it
    from sloforge.deploy.running import Chosen  # noqa: PLC0415 - as above

    if resume + undo + bool(saved) > 1:
        raise click.UsageError("--plan, --resume and --undo exclude one another")
    chosen = Chosen(environment=env, targets=target, adopt=adopt)
    manner = dialogue.Manner(form=form, max_prune=max_prune, yes=yes, verbose=verbose)
    if resume or undo:
        return dialogue.finish(repository.root, chosen, manner, undo=undo)
    return dialogue.deploy(repository, chosen, saved, manner)


@_env
@_target
@_form
def drift(repository: Repository, *, env: str, target: tuple[str, ...], form: Format) -> int:
    """Compare what is live with the last deploy and with the repository.

    Exits with 0 where all three agree, with 2 where they do not: an edit by hand and a commit that
    is not deployed yet are told apart.

    \b
    Examples:
      sloforge drift --env prod
      sloforge drift --env prod --format github
    """
    from sloforge.deploy import dialogue  # noqa: PLC0415 - --help needs none of it
    from sloforge.deploy.running import Chosen  # noqa: PLC0415 - as above

    chosen = Chosen(environment=env, targets=target)
    return dialogue.drift(repository, chosen, dialogue.Manner(form=form))


@click.argument("deploy_id", metavar="[DEPLOY]", default="")
@_env
@_target
@_max_prune
@_yes
@_form
def rollback(  # noqa: PLR0913 - an option each
    repository: Repository,
    *,
    deploy_id: str,
    env: str,
    target: tuple[str, ...],
    max_prune: int,
    yes: bool,
    form: Format,
) -> int:
    """Bring back what an earlier deploy put in place; by default the build before this one.

    \b
    Examples:
      sloforge rollback --env prod
      sloforge rollback 20260105T101500Z --env prod --yes
    """
    from sloforge.deploy import dialogue  # noqa: PLC0415 - --help needs none of it
    from sloforge.deploy.running import Chosen  # noqa: PLC0415 - as above

    chosen = Chosen(environment=env, targets=target)
    manner = dialogue.Manner(form=form, max_prune=max_prune, yes=yes)
    return dialogue.rollback(repository.root, chosen, deploy_id, manner)


@_env
@_form
def deploys(repository: Repository, *, env: str, form: Format) -> int:
    """List the deploys that were made from here.

    \b
    Examples:
      sloforge deploys --env prod
    """
    from sloforge.deploy import dialogue  # noqa: PLC0415 - --help needs none of it
    from sloforge.deploy.running import Chosen  # noqa: PLC0415 - as above

    chosen = Chosen(environment=env)
    return dialogue.deploys(repository.root, chosen, dialogue.Manner(form=form))


VERBS: tuple[Callable[..., int], ...] = (plan, deploy, drift, rollback, deploys)


def commands(changes: Callable[[Path], Iterable[Change]]) -> tuple[click.Command, ...]:
    """`changes` tells what a build would change in a repository, which is no matter of a deploy."""
    return tuple(_command(verb, changes) for verb in VERBS)


def _command(
    verb: Callable[..., int], changes: Callable[[Path], Iterable[Change]]
) -> click.Command:
    @functools.wraps(verb)
    def call(root: Path, **options: object) -> int:
        from sloforge.deploy.running import Repository  # noqa: PLC0415 - --help needs none of it

        return verb(Repository(root=root, changes=changes), **options)

    # click turns the list around in place, and a verb may become a command twice.
    call.__dict__["__click_params__"] = list(verb.__dict__["__click_params__"])
    return click.command()(click.pass_obj(call))
