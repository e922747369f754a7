"""The verbs `import` and `export`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("import")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the files go; slos/ by default.",
)
@click.option("--print", "is_printed", is_flag=True, help="Print the files and write nothing.")
@click.option("--verify", is_flag=True, help="Compare the error ratios with the other tool's.")
@click.pass_obj
def import_command(
    root: Path, paths: tuple[Path, ...], folder: Path | None, is_printed: bool, verify: bool
) -> int:
    """Convert files of OpenSLO, Sloth, Pyrra or jsonnet into native ones.

    \b
    Examples:
      sloforge import sloth/*.yml
      sloforge import --verify --to slos pyrra/checkout.yaml
    """
    from sloforge.formats import importing, telling

    found = importing.convert(root, paths)
    if is_printed:
        click.echo("---\n".join(found.texts.values()), nl=False)
    else:
        for path in importing.write(folder or root / "slos", found):
            click.echo(f"create {path}")
    for line in telling.notes(found):
        click.echo(line, err=True)
    if verify:
        from sloforge.formats.verify import compare

        click.echo(telling.comparison(compare(found)))
    return 0


@click.command("export")
@click.argument("form", type=click.Choice(["openslo", "sloth", "pyrra", "operator", "mixin"]))
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Where the files go; export/<format>/ by default, the repository for a mixin.",
)
@click.pass_obj
def export_command(root: Path, form: str, folder: Path | None) -> int:
    """Write the services in the format of another tool, and say what it cannot carry.

    \b
    Examples:
      sloforge export openslo
      sloforge export operator --to manifests
    """
    from sloforge import specs
    from sloforge.formats import exporting, importing

    exported = exporting.export(specs.load(root, runbooks=False), form)
    target = folder or (root if form == "mixin" else root / "export" / form)
    texts = {one.path: one.text for one in exported.files}
    for path in importing.put(target, texts):
        click.echo(f"write {path}")
    for one in exported.lost:
        click.echo(f"lost {one}", err=True)
    return 0
