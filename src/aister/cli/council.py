"""`aister council explain ID`: a recorded vote, recomputed from the question and the statements alone."""

from typing import Annotated

import typer

from aister.core.errors import UsageError

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    verbs = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The council: explain a vote.")
    verbs.callback()(lambda: None)
    verbs.command("explain")(explain)
    app.add_typer(verbs, name="council")


def explain(
    setup: Annotated[str, typer.Argument(help="The setup's id, as `aister journal show` prints it.")],
    chain: Annotated[
        str, typer.Argument(help="A chain as `aister journal list` shows it; by default the newest.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON array of the lines.")] = False,
) -> None:
    """Recompute the vote on a setup, term by term. Exit code 1 when it differs from the record."""
    import json

    from aister.adapters.store.home import home
    from aister.adapters.store.records import AuditReader
    from aister.cli import shown
    from aister.core.audit import AskCouncil
    from aister.core.events import DecisionMade
    from aister.council.ballot import explain as lines_of
    from aister.council.ballot import recount
    from aister.council.priors import packaged_priors

    question = decision = None
    with AuditReader(home()) as reader:
        for audit in reader.audits(chain or None):
            for output in audit.outputs:
                if isinstance(output, AskCouncil) and output.question.setup.id == setup:
                    question = output.question
            if isinstance(audit.event, DecisionMade) and audit.event.decision.setup_id == setup:
                decision = audit.event.decision
    if question is None or decision is None:
        raise UsageError(
            f"The council decided nothing on {setup!r} in this chain; `aister journal show` lists its setups."
        )
    priors = packaged_priors()
    if not decision.mind.endswith(priors.digest[:12]):
        raise UsageError(f"This vote was held under other priors ({decision.mind}); recompute it with that version.")
    lines = lines_of(question, decision, priors)
    typer.echo(json.dumps(lines) if as_json else "\n".join(map(shown, lines)))
    if recount(question, decision, priors) != decision.ballot:
        raise typer.Exit(1)
